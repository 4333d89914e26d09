"""Requests whose time is over, each followed by another: nobody gets the answer of somebody else."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
MOST_TRIES = 50


def request(number: int, seconds: float) -> bytes:
    body = f"number,seconds\n{number},{seconds}\n"
    return f"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def rest_of(client: socket.socket) -> bytes:
    """Read until the end of the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            received += data
    return received


def pair(server: Server, number: int) -> int:
    """Send a request that is too slow, and another on the same connection; then that one on a connection of its own.

    Every other client sends the second before the first is refused, else after. Return how often it was refused alone.
    """
    second = request(number + PAIRS, 0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(request(number, LATE))
        got = b""
        if number % 2:
            client.sendall(second)
        else:
            got = client.recv(65536)
            with suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(second)
        got += rest_of(client)
    assert got.startswith(b"HTTP/1.1 504 "), got
    assert got.count(b"HTTP/1.1 ") == 1, got
    assert b"predictions" not in got
    return own_answer(server, second, number + PAIRS)


def own_answer(server: Server, asked: bytes, number: int) -> int:
    """Send a request until it is answered, and check the answer; return how often it was refused before."""
    for refused in range(MOST_TRIES):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(asked)
            client.shutdown(socket.SHUT_WR)
            answer = rest_of(client)
        # Under load it may have waited too long.
        if not answer.startswith(b"HTTP/1.1 504 "):
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert f"[{float(number)}]".encode() in answer, answer
            return refused
    raise AssertionError(f"request {number} was refused {MOST_TRIES} times")


def test_none_of_two_thousand_pairs_is_swapped(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    words = ("--target-type", "regression", "--request-timeout", str(LIMIT), "--threads", str(3 * CLIENTS))
    with serve(tmp_path, *words) as server, ThreadPoolExecutor(CLIENTS) as clients:
        start = time.monotonic()
        refused = sum(clients.map(lambda number: pair(server, number), range(PAIRS)))
        seconds = time.monotonic() - start
        assert server.post("/predict/", "number,seconds\n7,0\n").json() == {"predictions": [7.0]}
        assert "ends, because a call" not in server.log.read_text()
    print(
        f"\n{PAIRS} pairs in {seconds:.0f} s, none swapped; {refused} second requests were late as well and sent again"
    )
