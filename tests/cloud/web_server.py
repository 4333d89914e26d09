"""A web server on the loopback: files that can be read, in parts or not, and written."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "a-signed-key"


@dataclass
class Web:
    """What is served, and how: with parts, with lengths; files whose name has `closed` want a key in their query."""

    files: dict[str, bytes] = field(default_factory=dict)
    gives_parts: bool = True
    tells_length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    """Answers for a `Web`."""

    protocol_version = "HTTP/1.1"
    web: Web

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.web.asked.append((self.command, asked))
        parts = urlsplit(self.path)
        data = self.web.files.get(parts.path)
        if "closed" in parts.path and parse_qs(parts.query).get("key") != [KEY]:
            self._answer(403, b"closed")
        elif data is None:
            self._answer(404, b"gone")
        elif asked and self.web.gives_parts:
            self._part(data, *map(int, re.findall(r"\d+", asked)))
        elif self.web.tells_length:
            self._answer(200, data)
        else:
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

    def _part(self, data: bytes, start: int, end: int) -> None:
        if not data:
            self._answer(416, b"", {"Content-Range": "bytes */0"})
            return
        end = min(end, len(data) - 1)
        self._answer(206, data[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(data)}"})

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if "closed" in self.path:
            self._answer(403, b"closed")
            return
        self.web.files[self.path] = data
        self._answer(201, b"")

    def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        # Another one for other data.
        told = {"ETag": f'"{hash(self.web.files.get(urlsplit(self.path).path))}"', "Content-Length": str(len(data))}
        for name, text in {**told, **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """Serve for the length of a `with`."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"web": web}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    web.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
