"""The probe port: a tiny HTTP server inside an event loop that never waits for anybody.

It reads the head of a request, answers and closes, so that nothing a client does keeps the loop from its other work.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from custom_model_runner.errors import RunnerError

MOST_HEAD_BYTES = 8192
SECONDS = 5.0
MOST_CONNECTIONS = 256
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Answer:
    """What a page says."""

    status: int
    body: bytes
    content_type: str = "application/json"


# Makes the answer of a path; it must not wait.
Page = Callable[[], Answer]


def said(status: int, message: str) -> Answer:
    """Return an answer in the form of the main port."""
    return Answer(status, json.dumps({"message": message}, separators=(",", ":")).encode() + b"\n")


def answer(head: bytes, pages: Mapping[str, Page]) -> bytes:
    """Return the whole response to the head of a request."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        return _response(said(400, "ERROR: the request is not valid HTTP"))
    path = words[1].split(b"?", 1)[0].decode("latin-1")
    page = pages.get(path.rstrip("/") or "/")
    if page is None:
        return _response(said(404, "ERROR: there are only: " + ", ".join(sorted(pages))))
    if words[0] not in (b"GET", b"HEAD"):
        return _response(said(405, "ERROR: only GET and HEAD"), "Allow: GET, HEAD\r\n")
    try:
        said_by_page = page()
    except (RunnerError, OSError, ValueError, MemoryError) as error:
        said_by_page = said(500, f"ERROR: {type(error).__name__}")
    return _response(said_by_page, is_head=words[0] == b"HEAD")


def _response(answer: Answer, more: str = "", *, is_head: bool = False) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {REASONS[answer.status]}\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\nCache-Control: no-store\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if is_head else answer.body)


@dataclass
class _Connection:
    """A client: what it has sent of its head, or what it has still to get of its answer."""

    deadline: float
    head: bytes = b""
    response: bytes = b""


@dataclass
class Probes:
    """The clients of the probe port, registered in an event loop that calls back what it finds as `data`."""

    listener: socket.socket
    loop: selectors.BaseSelector
    pages: Mapping[str, Page]
    connections: dict[socket.socket, _Connection] = field(default_factory=dict)

    def open(self) -> None:
        """Begin to take connections."""
        self.listener.setblocking(False)
        self.loop.register(self.listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """End all connections and stop listening."""
        for client in list(self.connections):
            self._end(client)
        self.listener.close()

    def leave(self) -> None:
        """Let go of all connections in a forked process; they stay as they are in the first."""
        for client in self.connections:
            client.close()
        self.listener.close()

    def end_overdue(self) -> float | None:
        """End the connections whose time is up; return the seconds until the next one's is, or None."""
        now = time.monotonic()
        for client, connection in list(self.connections.items()):
            if connection.deadline > now:
                # They are in the order in which they came.
                return connection.deadline - now
            self._end(client)
        return None

    def _accept(self) -> None:
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        if len(self.connections) >= MOST_CONNECTIONS:
            self._end(next(iter(self.connections)))
        client.setblocking(False)
        self.connections[client] = _Connection(time.monotonic() + SECONDS)
        self.loop.register(client, selectors.EVENT_READ, lambda: self._read(client))

    def _read(self, client: socket.socket) -> None:
        connection = self.connections.get(client)
        if connection is None:
            return
        try:
            data = client.recv(MOST_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.head += data
        if not data:
            self._end(client)
        elif b"\r\n\r\n" in connection.head:
            self._respond(client, answer(connection.head, self.pages))
        elif len(connection.head) > MOST_HEAD_BYTES:
            self._respond(client, _response(said(431, "ERROR: the head of the request is too long")))

    def _respond(self, client: socket.socket, response: bytes) -> None:
        self.connections[client].response = response
        self.loop.modify(client, selectors.EVENT_WRITE, lambda: self._write(client))
        self._write(client)

    def _write(self, client: socket.socket) -> None:
        connection = self.connections.get(client)
        if connection is None:
            return
        try:
            connection.response = connection.response[client.send(connection.response) :]
        except BlockingIOError:
            return
        except OSError:
            connection.response = b""
        if not connection.response:
            self._end(client)

    def _end(self, client: socket.socket) -> None:
        del self.connections[client]
        self.loop.unregister(client)
        client.close()
