"""Every failure as an answer: JSON, with the status that the error tree gives."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, jsonify, request
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from custom_model_runner.data import compression
from custom_model_runner.errors import (
    BaseCustomUserError,
    MalformedRequest,
    PayloadTooLarge,
    RunnerError,
    SchemaError,
    UnknownEncoding,
)
from custom_model_runner.server import headers, incoming

LOG = logging.getLogger("drum.server")
USER_ERROR_HEADER = "X-Drum-User-Http-Error"
ERROR_STATUSES = range(400, 600)


def register(app: Flask, *, show_stacktrace: bool) -> None:
    """Give an application the handlers of all failures."""

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

    @app.errorhandler(BaseCustomUserError)
    def pass_on(error: BaseCustomUserError) -> Response:
        is_error_status = error.status in ERROR_STATUSES
        response = answer(str(error), error.status if is_error_status else BaseCustomUserError.status)
        response.headers[USER_ERROR_HEADER] = "true"
        return response

    @app.errorhandler(RequestEntityTooLarge)
    def measure(error: RequestEntityTooLarge) -> Response:
        return explain(PayloadTooLarge(incoming.too_large(request)))

    @app.errorhandler(ParseException)
    @app.errorhandler(NoMoreData)
    def reject(error: ParseException | NoMoreData) -> Response:
        return explain(MalformedRequest("The body is not valid HTTP: it is cut short or wrongly chunked"))

    @app.errorhandler(HTTPException)
    def explain_http(error: HTTPException) -> Response:
        response = answer(f"ERROR: {error.description}", error.code or 500)
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def admit(error: Exception) -> Response:
        LOG.error(
            "internal error: %s",
            type(error).__name__,
            exc_info=error if show_stacktrace else None,
            extra=headers.context(),
        )
        return answer(f"ERROR: internal error: {type(error).__name__}", 500)


def scrub(app: Flask, clean: Callable[[str], str]) -> None:
    """Keep secrets out of every failure that an application answers with."""

    @app.after_request
    def scrub_failure(response: Response) -> Response:
        if response.status_code in ERROR_STATUSES and not (response.is_streamed or response.direct_passthrough):
            # A body may be anything: bytes that are no text come back as they were.
            text = response.get_data().decode("utf-8", "surrogateescape")
            response.set_data(clean(text).encode("utf-8", "surrogateescape"))
        return response


def answer(message: str, status: int, **marks: bool) -> Response:
    """Return the error body of the original's routes."""
    response = jsonify(message=message, **marks)
    response.status_code = status
    return response
