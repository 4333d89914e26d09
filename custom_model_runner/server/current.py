"""The request that is served: where what is known of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from custom_model_runner.data.exchange import Exchange
from custom_model_runner.server import headers

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where a Flask extension of the folder finds the id too.
REQUEST_ID = "drum.request_id"
EXCHANGE = "drum.exchange"
# What ends the exchange; how the worker is told to close the connection, and to let go of it while its call runs.
ENDING, CLOSE, ABANDON = "drum.ending", "drum.close", "drum.abandon"
# How the worker is told that the body has come.
RECEIVED = "drum.received"


def begun(environ: WSGIEnvironment) -> Exchange:
    """Return what is known of a request that has just come in."""
    request_id = environ.get("HTTP_X_REQUEST_ID") or headers.new_request_id()
    return Exchange(environ["REQUEST_METHOD"], environ["PATH_INFO"], request_id, environ)


def exchange() -> Exchange:
    """Return what is known of the request that is served; one that an extension makes inside of flask has its own."""
    environ = request.environ
    found: Exchange | None = environ.get(EXCHANGE)
    if found is None:
        found = environ[EXCHANGE] = begun(environ)
    return found


def close_connection() -> None:
    """Let the connection end with the answer."""
    close = request.environ.get(CLOSE)
    if close is not None:
        close()


def note_received() -> None:
    """Say that the body of the request has come, for which its thread may have waited."""
    received = request.environ.get(RECEIVED)
    if received is not None:
        received(request.environ["gunicorn.socket"])


def fail(failure: str) -> None:
    """Note the class of the error that the request is answered with."""
    exchange().failure = failure
