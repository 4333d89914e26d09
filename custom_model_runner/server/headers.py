"""What every answer carries, and what is logged of it."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import request

from custom_model_runner import __version__

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger("drum.server")
# Where a Flask extension of the folder finds the id too.
REQUEST_ID = "drum.request_id"


def common(request_id: str) -> Iterable[tuple[str, str]]:
    """Return the headers of every answer; the underscore is how the original spells the first."""
    return ("X-Request-ID", request_id), ("X_Request_ID", request_id), ("X-Drum-Version", __version__)


def new_request_id() -> str:
    """Return an id for a request that came without."""
    return str(uuid.uuid4())


def request_id() -> str:
    """Return the id of the request that is served; one that an extension makes inside of flask gets its own."""
    return request.environ.get(REQUEST_ID) or new_request_id()


def context() -> dict[str, str]:
    """Return what a log line tells of the request that is served."""
    return {"request_id": request_id()}


def dress(app: WSGIApplication) -> WSGIApplication:
    """Return the application whose every answer has its request id and the runner's version.

    They are put on outside of flask, where no extension of the folder can lose them.
    """

    def dressed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start = time.perf_counter()
        name = environ[REQUEST_ID] = environ.get("HTTP_X_REQUEST_ID") or new_request_id()
        ours = list(common(name))
        names = {header.lower() for header, _ in ours}

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            if status >= "400":
                words = "%s %r answered %s after %.3f s"
                seconds = time.perf_counter() - start
                facts = environ["REQUEST_METHOD"], environ["PATH_INFO"], status[:3], seconds
                LOG.info(words, *facts, extra={"request_id": name})
            kept = [(header, value) for header, value in headers if header.lower() not in names]
            return start_response(status, kept + ours, exc_info)

        return app(environ, begin)

    return dressed
