"""The encryption of the main port."""

from __future__ import annotations

import ssl
from typing import NoReturn

from custom_model_runner.errors import UsageError
from custom_model_runner.settings import ServerSettings


def open_context(server: ServerSettings) -> ssl.SSLContext | None:
    """Return how connections are encrypted, TLS 1.2 at the least, or None where they are not to be.

    Files that do not make a certificate with its key are a usage error.
    """
    if server.certfile is None:
        if server.keyfile is not None:
            raise UsageError("--keyfile needs --certfile beside it")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(server.certfile, server.keyfile, password=_refuse)
    except (OSError, ValueError) as error:
        key = f"--keyfile {server.keyfile}" if server.keyfile else "the key in the same file"
        raise UsageError(f"--certfile {server.certfile} with {key} cannot be used: {_reason(error)}") from error
    return context


def _refuse() -> NoReturn:
    # Else the terminal would be asked, or a server without one would wait.
    raise ValueError("the private key has a password, expected one without")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"expected PEM files of a certificate and its own key ({error.reason or 'no PEM'})"
    return str(error.strerror if isinstance(error, OSError) else error)
