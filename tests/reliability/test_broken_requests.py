"""Requests that are broken, half sent or slow: each is refused for what it is, and nobody else waits for it."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psutil
import pytest

from ..conformance.conftest import Server, serve
from .delays import p99, told

SOURCE = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"Predictions": [1.0] * len(data)})
"""
RECEIVE_SECONDS = 2.0
DECODED_LIMIT = 1 << 20
HEAD = b"POST /predict/ HTTP/1.1\r\nHost: a\r\n"
BOMB = gzip.compress(bytes(500 * DECODED_LIMIT))
GZIP = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
# What is sent before the client ends its side of the connection, and the statuses of what it may be told.
BROKEN: dict[str, tuple[bytes, set[int]]] = {
    "half a head": (HEAD + b"Content-Le", {0}),
    "half a body": (HEAD + b"Content-Length: 1000\r\n\r\nx\n1\n", {400}),
    "a truncated chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\nx\n1\n", {400}),
    "no last chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nx\n1\n\r\n", {400}),
    "two lengths": (HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nx\n1\n\n", {400}),
    "the same length twice": (HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nx\n1\n", {400}),
    "a length and chunks": (HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "a header of 64 kB": (HEAD + b"X-Long: " + b"a" * (64 << 10) + b"\r\n\r\n", {431}),
    "headers of 64 kB": (HEAD + b"X-More: aaaaaaaa\r\n" * 3641 + b"\r\n", {431}),
    "a path of 64 kB": (b"GET /" + b"a" * (64 << 10) + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414}),
    "NUL in a path": (b"GET /pi\0ng/ HTTP/1.1\r\nHost: a\r\n\r\n", {400, 404}),
    "NUL in a header": (b"GET /ping/ HTTP/1.1\r\nHost: a\r\nX-Nul: a\0b\r\n\r\n", {400}),
    "NUL in a body": (HEAD + b"Content-Length: 6\r\n\r\nx\n1\0\n\0", {200, 422}),
    "NUL instead of HTTP": (bytes(1000), {0, 400}),
    "a gzip bomb": (GZIP + BOMB, {413}),
}
EACH = 40
ATTACKERS = 8
# Begun, and then continued by a byte at a time until they are refused.
SLOW = {
    "a slow head": HEAD + b"X-Slow: ",
    "a slow body": HEAD + b"Content-Length: 1000\r\n\r\n",
    "slow chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
}
SLOW_CLIENTS = 30
SECONDS_BETWEEN_BYTES = 0.2
GOOD_CLIENTS = 4
GROWTH = 32 << 20


def status_of(received: bytes) -> int:
    """Return the status of the only answer; 0 where there is none."""
    assert received.count(b"HTTP/1.1 ") <= 1, received
    return int(received.split(b" ", 2)[1]) if received else 0


def rest_of(client: socket.socket) -> bytes:
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def send_broken(server: Server, fault: str) -> tuple[str, int]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(BROKEN[fault][0])
        client.shutdown(socket.SHUT_WR)
        return fault, status_of(rest_of(client))


def send_slowly(server: Server, fault: str) -> tuple[int, float]:
    """Send one byte after the other until the server answers; return the status and the seconds it took."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS_BETWEEN_BYTES) as client:
        client.sendall(SLOW[fault])
        while time.monotonic() - start < 30:
            try:
                return status_of(client.recv(65536)), time.monotonic() - start
            except TimeoutError:
                with suppress(ConnectionError):
                    client.sendall(b"a")
    raise AssertionError(f"{fault}: no answer")


def send_good(server: Server, ends: threading.Event) -> list[float]:
    """Send one good request after the other, each of which must be answered; return the seconds of each."""
    seconds = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as client:
        while not ends.wait(0.02):
            start = time.monotonic()
            client.request("POST", "/predict/", "x\n1\n", {"Content-Type": "text/csv"})
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"predictions":[1.0]}')
            seconds.append(time.monotonic() - start)
    return seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    words = ["--receive-timeout", str(RECEIVE_SECONDS), "--max-decoded-bytes", str(DECODED_LIMIT)]
    with serve(folder, "--target-type", "regression", *words) as server:
        yield server


def worker_of(server: Server) -> psutil.Process:
    (master,) = psutil.Process(server.process.pid).children()
    (worker,) = master.children()
    return worker


def at_rest(worker: psutil.Process) -> tuple[int, int]:
    """Wait until no connection is left, and return the memory and the descriptors that are held then."""
    deadline = time.monotonic() + 30
    while any(one.status != psutil.CONN_LISTEN for one in worker.net_connections("tcp")):
        assert time.monotonic() < deadline, worker.net_connections("tcp")
        time.sleep(0.05)
    return worker.memory_info().rss, worker.num_fds()


def test_broken_requests_are_refused_one_by_one_and_good_ones_beside_them_answered(server: Server) -> None:
    worker, ends = worker_of(server), threading.Event()
    with ThreadPoolExecutor(ATTACKERS) as attackers, ThreadPoolExecutor(GOOD_CLIENTS) as clients:
        list(attackers.map(lambda fault: send_broken(server, fault), list(BROKEN) * ATTACKERS))
        before = at_rest(worker)
        good = [clients.submit(send_good, server, ends) for _ in range(GOOD_CLIENTS)]
        try:
            found = Counter(attackers.map(lambda fault: send_broken(server, fault), list(BROKEN) * EACH))
        finally:
            ends.set()
        seconds = [one for client in good for one in client.result()]
    after = at_rest(worker)
    memory, descriptors = after[0] - before[0], after[1] - before[1]
    print(f"\n{EACH} of each: {', '.join(f'{fault} {status or chr(45)}' for fault, status in sorted(found))}")
    print(f"memory {memory / 2**20:+.0f} MiB, descriptors {descriptors:+d}; {len(seconds)} good: {told(seconds)}")
    for fault, status in found:
        assert status in BROKEN[fault][1], fault
    assert worker_of(server).pid == worker.pid
    assert memory < GROWTH
    assert descriptors <= 0


def test_slow_requests_are_refused_when_their_time_is_over_and_good_ones_beside_them_answered(server: Server) -> None:
    ends = threading.Event()
    with ThreadPoolExecutor(SLOW_CLIENTS * len(SLOW)) as slow, ThreadPoolExecutor(GOOD_CLIENTS) as clients:
        good = [clients.submit(send_good, server, ends) for _ in range(GOOD_CLIENTS)]
        try:
            answers = list(slow.map(lambda fault: send_slowly(server, fault), list(SLOW) * SLOW_CLIENTS))
        finally:
            ends.set()
        seconds = [one for client in good for one in client.result()]
    most = max(one for _, one in answers)
    print(f"\n{len(answers)} slow at once: each 408 after at most {most:.1f} s; {len(seconds)} good: {told(seconds)}")
    assert {status for status, _ in answers} == {408}
    assert min(one for _, one in answers) >= RECEIVE_SECONDS - SECONDS_BETWEEN_BYTES
    assert p99(seconds) < RECEIVE_SECONDS / 2
