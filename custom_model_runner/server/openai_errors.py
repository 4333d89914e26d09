"""Errors in the shape that clients of OpenAI's API know, on the routes that they use."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, has_request_context, request
from werkzeug.exceptions import BadRequest

from custom_model_runner.data import chat
from custom_model_runner.errors import RunnerError, UserCodeError
from custom_model_runner.server.routes import paths

CHAT = ("/chat/completions", "/v1/chat/completions")
MODELS = ("/models", "/v1/models")
# The key of an application's configuration that holds the prefix of its routes.
PREFIX = "URL_PREFIX"
INVALID, SERVER = "invalid_request_error", "server_error"
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded", 504: "timeout"}


def is_asked() -> bool:
    """Say whether the request that is served is for a route of OpenAI's API."""
    if not has_request_context():
        return False
    path = request.path.removeprefix(current_app.config[PREFIX])
    return any(path in paths.spellings(route) for route in CHAT + MODELS)


def body(message: str, status: int) -> dict[str, Any]:
    """Return the object that tells a client what happened."""
    kind = TYPES.get(status, INVALID if status < 500 else SERVER)
    return {"error": {"message": message, "type": kind, "param": None, "code": CODES.get(status)}}


def answer(message: str, status: int) -> Response:
    """Return the answer to a request that failed."""
    return Response(chat.to_json(body(message, status)) + "\n", status, content_type="application/json")


def complaint(error: RunnerError) -> str | None:
    """Return what a chat hook complains of that lets werkzeug's own error for bad requests out, or None."""
    cause = error.__cause__ if isinstance(error, UserCodeError) and is_asked() else None
    return str(cause.description) if isinstance(cause, BadRequest) else None
