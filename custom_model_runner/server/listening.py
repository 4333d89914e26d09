"""The sockets that a server listens on."""

from __future__ import annotations

import errno
import socket

from custom_model_runner.errors import UsageError

BACKLOG = 2048


def listen(address: tuple[str, int]) -> socket.socket:
    """Open a listening socket; an address that cannot be had is a usage error."""
    host, port = address
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(f"Cannot listen on {shown(address)}: {error.strerror or error}") from error
    # gunicorn does so too, but each answer to those who connect while the folder is loaded would wait for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def listen_if_free(address: tuple[str, int]) -> socket.socket | None:
    """Open a listening socket, or return None where the address is taken by another."""
    try:
        return listen(address)
    except UsageError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            return None
        raise


def shown(address: tuple[str, int]) -> str:
    """Return an address as it is written in a URL."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def place(listener: socket.socket, host: str) -> str:
    """Return the address that clients of a listening socket use."""
    return shown((host, listener.getsockname()[1]))
