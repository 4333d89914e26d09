"""Answers that are written to a connection directly, where no application does it; the connection ends with each."""

from __future__ import annotations

import socket
from contextlib import suppress

from flask import Response
from gunicorn import util

from custom_model_runner.server import headers


def send(client: socket.socket, response: Response, request_id: str) -> None:
    """Send an answer without waiting for a client that does not read it, or is gone."""
    lines = [("Connection", "close"), *response.headers, *headers.common(request_id)]
    head = [f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in lines)]
    with suppress(OSError):
        util.write_nonblock(client, "\r\n".join([*head, "", ""]).encode("latin-1") + response.get_data())
