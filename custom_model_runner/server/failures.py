"""Every failure as an answer: JSON, with the status that the error tree gives."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge
from werkzeug.sansio.response import Response as AnyResponse

from custom_model_runner import border
from custom_model_runner.data import compression
from custom_model_runner.errors import (
    BaseCustomUserError,
    MalformedRequest,
    PayloadTooLarge,
    RunnerError,
    SchemaError,
    UnknownEncoding,
    UserCodeError,
)
from custom_model_runner.server import extension, headers, incoming

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger("drum.server")
USER_ERROR_HEADER = "X-Drum-User-Http-Error"
ERROR_STATUSES = range(400, 600)
THE_EXTENSION_RAISED = "The Flask extension raised. Exception:"


def register(app: Flask, *, show_stacktrace: bool, folder: Path | None = None) -> None:
    """Give an application the handlers of all failures; `folder` is where code of an extension stands."""

    @app.errorhandler(RunnerError)
    def explain(error: RunnerError) -> Response:
        if error.status >= 500:
            trace = (error.__cause__ or error) if show_stacktrace else None
            LOG.error("%s", error, exc_info=trace, extra=headers.context())
        # Callers match the mark.
        marks = {"is_schema_validation_error": True} if isinstance(error, SchemaError) else {}
        response = answer(f"ERROR: {error}", error.status, **marks)
        if isinstance(error, UnknownEncoding):
            response.headers["Accept-Encoding"] = ", ".join(compression.ENCODINGS)
        return response

    app.register_error_handler(BaseCustomUserError, pass_on)

    @app.errorhandler(RequestEntityTooLarge)
    def measure(error: RequestEntityTooLarge) -> Response:
        return explain(PayloadTooLarge(incoming.too_large(request)))

    @app.errorhandler(MemoryError)
    def give_up(error: MemoryError) -> Response:
        return explain(PayloadTooLarge("The request needs more memory than there is"))

    @app.errorhandler(ParseException)
    @app.errorhandler(NoMoreData)
    def reject(error: ParseException | NoMoreData) -> Response:
        return explain(MalformedRequest("The body is not valid HTTP: it is cut short or wrongly chunked"))

    @app.errorhandler(HTTPException)
    def explain_http(error: HTTPException) -> AnyResponse:
        if isinstance(error, InternalServerError) and error.original_exception is not None:
            return admit(error.original_exception)
        if error.response is not None:
            return error.response
        return _explain_http(error)

    @app.errorhandler(Exception)
    def admit(error: BaseException) -> Response:
        if folder is not None and extension.has_raised(error, folder):
            blame = UserCodeError(f"{THE_EXTENSION_RAISED} {border.describe(error)}")
            blame.__cause__ = error
            return explain(blame)
        trace = error if show_stacktrace else None
        LOG.error("internal error: %s", type(error).__name__, exc_info=trace, extra=headers.context())
        return answer(f"ERROR: internal error: {type(error).__name__}", 500)


def pass_on(error: BaseCustomUserError) -> Response:
    """Return the answer that user code chose; a status that is none of an error becomes 500."""
    response = answer(str(error), _status(error))
    response.headers[USER_ERROR_HEADER] = "true"
    return response


def _status(error: BaseCustomUserError) -> int:
    try:
        status = int(error.status_code)
    except (TypeError, ValueError, OverflowError):
        return BaseCustomUserError.status
    return status if status in ERROR_STATUSES else BaseCustomUserError.status


def _explain_http(error: HTTPException) -> Response:
    response = answer(f"ERROR: {error.description}", error.code or 500)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers.add(name, value)
    return response


def scrub(app: Flask, clean: Callable[[str], str]) -> None:
    """Keep secrets out of every failure that an application answers with."""
    app.after_request(lambda response: scrubbed(response, clean))


def scrubbed(response: Response, clean: Callable[[str], str]) -> Response:
    """Return an answer, without secrets if it is a failure."""
    if response.status_code in ERROR_STATUSES and not (response.is_streamed or response.direct_passthrough):
        # A body may be anything: bytes that are no text come back as they were.
        text = response.get_data().decode("utf-8", "surrogateescape")
        response.set_data(clean(text).encode("utf-8", "surrogateescape"))
    return response


def answer(message: str, status: int, **marks: bool) -> Response:
    """Return the error body of the original's routes."""
    body = json.dumps({"message": message, **marks}, separators=(",", ":"))
    return Response(body + "\n", status, content_type="application/json")


def contain(app: WSGIApplication) -> WSGIApplication:
    """Return the application out of which nothing comes but our errors, even by `sys.exit`.

    What passes by its handlers is raised by an extension of the folder: by its middleware, or after the request.
    """

    def contained(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        served: Iterable[bytes] = border.call(app, environ, start_response, failing=THE_EXTENSION_RAISED)
        return served

    return contained


def last_resort(error: BaseException, *, show_stacktrace: bool) -> Response:
    """Return the answer to what no handler has seen."""
    if isinstance(error, BaseCustomUserError):
        return pass_on(error)
    words, status = f"internal error: {type(error).__name__}", RunnerError.status
    if isinstance(error, RunnerError):
        words, status = str(error), error.status
    LOG.error("%s", words, exc_info=(error.__cause__ or error) if show_stacktrace else None)
    return answer(f"ERROR: {words}", status)
