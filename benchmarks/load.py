"""A bounded HTTP load: a few clients that keep their connections and send one body again and again."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

TIMEOUT_SECONDS = 60.0
MOST_REQUESTS = 20_000


class LoadError(Exception):
    """The server did not answer as an HTTP server in good health does."""


@dataclass(frozen=True)
class Load:
    """What one run of the load saw."""

    seconds: float
    latencies: tuple[float, ...]


class Client:
    """One connection to a server on this machine, opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    @property
    def local_port(self) -> int:
        """Return the port at this end of the connection, 0 without one."""
        return self._socket.getsockname()[1] if self._socket is not None else 0

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send one CSV body; return status and answer."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return self.send(head.encode() + body)

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request; a kept connection that turns out closed gets one more try."""
        was_kept = self._socket is not None
        try:
            return self._exchange(request)
        except (ConnectionError, EOFError):
            self.close()
            if not was_kept:
                raise
        return self._exchange(request)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, body = _read_head(self._socket)
        length = _content_length(head)
        parts, missing = [body], length - len(body)
        while missing > 0:
            parts.append(_receive(self._socket))
            missing -= len(parts[-1])
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), b"".join(parts)


def run(port: int, path: str, body: bytes, *, concurrency: int, seconds: float) -> Load:
    """Send the body from several clients until the time is over; any answer but 200 is an error."""
    start_together = threading.Barrier(concurrency)

    def client_loop() -> tuple[float, float, list[float]]:
        client, latencies = Client(port), list[float]()
        start_together.wait(TIMEOUT_SECONDS)
        start = now = time.perf_counter()
        try:
            while now - start < seconds and len(latencies) < MOST_REQUESTS // concurrency:
                sent = now
                status, answer = client.post(path, body)
                if status != 200:
                    raise LoadError(f"{path} answered {status}: {answer[:300]!r}")
                now = time.perf_counter()
                latencies.append(now - sent)
        finally:
            client.close()
        return start, now, latencies

    with ThreadPoolExecutor(concurrency) as pool:
        futures = [pool.submit(client_loop) for _ in range(concurrency)]
        loops = [future.result() for future in futures]
    begin, end = min(loop[0] for loop in loops), max(loop[1] for loop in loops)
    return Load(end - begin, tuple(latency for loop in loops for latency in loop[2]))


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    received = _receive(connection)
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, body = received.split(b"\r\n\r\n", 1)
    return head.lower(), body


def _receive(connection: socket.socket) -> bytes:
    received = connection.recv(1 << 18)
    if not received:
        raise EOFError("the server closed the connection before its answer was complete")
    return received


def _content_length(head: bytes) -> int:
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        raise LoadError("the answer has no Content-Length")
    return int(rest.split(b"\r\n", 1)[0])
