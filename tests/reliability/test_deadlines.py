"""Requests whose time is over, each followed by another: nobody gets the answer of somebody else."""

from __future__ import annotations

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..conformance.conftest import Server, serve

# The first request of a pair is refused after 0.2 s, and its late result comes while the second is answered.
SOURCE = """
import time

def score(data, model, **kwargs):
    time.sleep(float(data["seconds"][0]))
    return data[["number"]]
"""
PAIRS = 2000
CLIENTS = 25
LIMIT, LATE = 0.2, 0.35


def request(number: int, seconds: float) -> bytes:
    body = f"number,seconds\n{number},{seconds}\n"
    return f"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def answers(client: socket.socket) -> list[bytes]:
    """Read until the end of the connection; return each answer."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return [b"HTTP/1.1 " + part for part in received.split(b"HTTP/1.1 ")[1:]]


def pair(server: Server, number: int) -> str:
    """Send a request that is too slow and one that is not; the second on the same connection first, then on its own."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request(number, LATE))
        if number % 2:
            client.sendall(request(number + PAIRS, 0))
        got = answers(client)
        assert len(got) == 1, got
        assert got[0].startswith(b"HTTP/1.1 504 "), got
        assert b"predictions" not in got[0]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request(number + PAIRS, 0))
        client.shutdown(socket.SHUT_WR)
        (answer,) = answers(client)
    if answer.startswith(b"HTTP/1.1 504 "):
        # Under load it may have waited as long.
        return "refused twice"
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert f"[{float(number + PAIRS)}]".encode() in answer, answer
    return "answered"


def test_none_of_two_thousand_pairs_is_swapped(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    words = ("--target-type", "regression", "--request-timeout", str(LIMIT), "--threads", str(3 * CLIENTS))
    with serve(tmp_path, *words) as server, ThreadPoolExecutor(CLIENTS) as clients:
        start = time.monotonic()
        found = Counter(clients.map(lambda number: pair(server, number), range(PAIRS)))
        seconds = time.monotonic() - start
        assert server.post("/predict/", "number,seconds\n7,0\n").json() == {"predictions": [7.0]}
        assert "ends, because a call" not in server.log.read_text()
    print(f"\n{PAIRS} pairs in {seconds:.0f} s, none swapped: {dict(found)}")
    assert found["answered"] > 0.95 * PAIRS
