"""What every answer carries, and what is logged of it."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable

from flask import Flask, Response, g, request

from custom_model_runner import __version__

LOG = logging.getLogger("drum.server")


def common(request_id: str) -> Iterable[tuple[str, str]]:
    """Return the headers of every answer; the underscore is how the original spells the first."""
    return ("X-Request-ID", request_id), ("X_Request_ID", request_id), ("X-Drum-Version", __version__)


def new_request_id() -> str:
    """Return an id for a request that came without."""
    return str(uuid.uuid4())


def context() -> dict[str, str]:
    """Return what a log line tells of the request that is served."""
    return {"request_id": g.request_id}


def register(app: Flask) -> None:
    """Give every answer of an application its request id and the runner's version."""

    @app.before_request
    def begin() -> None:
        g.start = time.perf_counter()
        g.request_id = request.headers.get("X-Request-ID") or new_request_id()

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in common(g.request_id):
            response.headers[name] = value
        if response.status_code >= 400:
            seconds = time.perf_counter() - g.start
            words = "%s %r answered %s after %.3f s"
            LOG.info(words, request.method, request.path, response.status_code, seconds, extra=context())
        return response
