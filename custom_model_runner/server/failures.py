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
    Overloaded,
    PayloadTooLarge,
    RunnerError,
    SchemaError,
    TimedOut,
    TooSlow,
    Unauthorized,
    UnknownEncoding,
    UserCodeError,
)
from custom_model_runner.server import current, extension, incoming, openai_errors

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger("drum.server")
USER_ERROR_HEADER = "X-Drum-User-Http-Error"
ERROR_STATUSES = range(400, 600)
# Keys of an application's configuration: whether tracebacks are logged, what keeps secrets out of a text.
SHOW_STACKTRACE, CLEAN = "SHOW_STACKTRACE", "CLEAN"
# Seconds after which it is worth another try.
RETRY_AFTER = "1"
INTERNAL = "InternalError"
THE_EXTENSION_RAISED = "The Flask extension raised. Exception:"


def register(app: Flask, *, show_stacktrace: bool, folder: Path | None = None) -> None:
    """Give an application the handlers of all failures; `folder` is where code of an extension stands."""
    app.config[SHOW_STACKTRACE], app.config[CLEAN] = show_stacktrace, str

    @app.errorhandler(RunnerError)
    def explain(error: RunnerError) -> Response:
        current.fail(name_of(error))
        if (complaint := openai_errors.complaint(error)) is not None:
            return openai_errors.answer(complaint, MalformedRequest.status)
        message, status = _told(error, show_stacktrace=show_stacktrace)
        # Callers match the mark.
        marks = {"is_schema_validation_error": True} if isinstance(error, SchemaError) else {}
        response = in_dialect(message, status, **marks)
        if isinstance(error, UnknownEncoding):
            response.headers["Accept-Encoding"] = ", ".join(compression.ENCODINGS)
        if isinstance(error, Overloaded):
            response.headers["Retry-After"] = RETRY_AFTER
        if isinstance(error, (TimedOut, TooSlow)):
            current.close_connection()
        if isinstance(error, Unauthorized):
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @app.errorhandler(BaseCustomUserError)
    def pass_on_noted(error: BaseCustomUserError) -> Response:
        current.fail(name_of(error))
        return pass_on(error)

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
        current.fail(type(error).__name__)
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
        current.fail(INTERNAL)
        return in_dialect(*_told(error, show_stacktrace=show_stacktrace))


def _told(error: BaseException, *, show_stacktrace: bool) -> tuple[str, int]:
    """Return what a client is told of a failure, message and status; what is not the client's fault is logged."""
    if isinstance(error, BaseCustomUserError):
        return str(error), _status(error)
    message, status = _internal(error), RunnerError.status
    if isinstance(error, RunnerError):
        message, status = str(error), error.status
    if status >= 500:
        trace = (error.__cause__ or error) if show_stacktrace else None
        LOG.error("%s", message, exc_info=trace)
    return message, status


def teller(app: Flask) -> Callable[[RunnerError | BaseCustomUserError], tuple[str, int]]:
    """Return what tells of failures when the request that is served now is no longer at hand."""
    exchange, show_stacktrace, clean = current.exchange(), app.config[SHOW_STACKTRACE], app.config[CLEAN]

    def tell(error: RunnerError | BaseCustomUserError) -> tuple[str, int]:
        exchange.failure = name_of(error)
        message, status = _told(error, show_stacktrace=show_stacktrace)
        return clean(message), status

    return tell


def in_dialect(message: str, status: int, **marks: bool) -> Response:
    """Return an error body in the shape of the route that is asked."""
    return (
        openai_errors.answer(message, status)
        if openai_errors.is_asked()
        else answer(f"ERROR: {message}", status, **marks)
    )


def pass_on(error: BaseCustomUserError) -> Response:
    """Return the answer that user code chose; a status that is none of an error becomes 500."""
    message, status = str(error), _status(error)
    response = openai_errors.answer(message, status) if openai_errors.is_asked() else answer(message, status)
    response.headers[USER_ERROR_HEADER] = "true"
    return response


def name_of(error: RunnerError | BaseCustomUserError) -> str:
    """Return the class of an error, one of our tree; user code may have made a subclass of its own."""
    classes = (kind.__name__ for kind in type(error).__mro__ if kind.__module__ == RunnerError.__module__)
    return next(classes)


def status_of(error: RunnerError | BaseCustomUserError) -> int:
    """Return the status that an error is answered with."""
    return _status(error) if isinstance(error, BaseCustomUserError) else error.status


def _status(error: BaseCustomUserError) -> int:
    try:
        status = int(error.status_code)
    except (TypeError, ValueError, OverflowError):
        return BaseCustomUserError.status
    return status if status in ERROR_STATUSES else BaseCustomUserError.status


def _explain_http(error: HTTPException) -> Response:
    response = in_dialect(str(error.description), error.code or 500)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers.add(name, value)
    return response


def scrub(app: Flask, clean: Callable[[str], str]) -> None:
    """Keep secrets out of every failure that an application answers with."""
    app.config[CLEAN] = clean
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


def contain(app: WSGIApplication, *, is_extended: bool) -> WSGIApplication:
    """Return the application out of which nothing comes but our errors, even by `sys.exit`.

    What passes by its handlers is raised by an extension of the folder, if it has one: by its middleware, or after the
    request.
    """

    def contained(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        served: Iterable[bytes]
        if is_extended:
            served = border.call(app, environ, start_response, failing=THE_EXTENSION_RAISED)
            return served
        try:
            return app(environ, start_response)
        except (RunnerError, BaseCustomUserError):
            raise
        except Exception as error:  # ours, and yet to be counted and answered like every other
            raise RunnerError(_internal(error)) from error

    return contained


def last_resort(error: BaseException, *, show_stacktrace: bool) -> Response:
    """Return the answer to what no handler has seen."""
    if isinstance(error, BaseCustomUserError):
        return pass_on(error)
    message, status = _told(error, show_stacktrace=show_stacktrace)
    return answer(f"ERROR: {message}", status)


def _internal(error: BaseException) -> str:
    return f"internal error: {type(error).__name__}"
