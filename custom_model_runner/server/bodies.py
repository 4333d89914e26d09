"""What a request carries, as a payload."""

from __future__ import annotations

from flask import Request

from custom_model_runner.data import tables
from custom_model_runner.data.payload import DEFAULT_CHARSET, Payload
from custom_model_runner.errors import InputError

# Callers match this text.
NO_SAMPLES = "Samples should be provided as:   - a csv or mtx under `X` form-data param key.  - binary data"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def table_payload(request: Request) -> Payload:
    """Return the rows of a request: the form part `X`, as file or field, or the whole body."""
    payload = _part(request) if request.mimetype in FORMS else raw_payload(request)
    if payload is None or not payload.data:
        raise InputError(NO_SAMPLES)
    return payload


def _part(request: Request) -> Payload | None:
    file = request.files.get("X")
    if file is not None:
        return Payload(file.read(), tables.media_type_of(file.filename or ""))
    text = request.form.get("X")
    return None if text is None else Payload(text.encode(), tables.media_type_of(""))


def raw_payload(request: Request) -> Payload:
    """Return the body as it came, with its content type."""
    return Payload.of(request.get_data(cache=False), request.headers.get("Content-Type"))


def hook_charset(payload: Payload) -> str:
    """Return the charset that a server names to score hooks."""
    return payload.charset or DEFAULT_CHARSET
