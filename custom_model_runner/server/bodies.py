"""What a request carries, as a payload."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from custom_model_runner.data import tables
from custom_model_runner.data.payload import DEFAULT_CHARSET, Payload
from custom_model_runner.errors import InputError, MalformedRequest, PayloadTooLarge

# Callers match this text.
NO_SAMPLES = "Samples should be provided as:   - a csv or mtx under `X` form-data param key.  - binary data"
CHUNK = 1 << 16
MAX_PARTS = 1000


def table_payload(request: Request) -> Payload:
    """Return the rows of a request: the form part `X`, as file or field, or the whole body."""
    payload = _part(request, "X") if request.mimetype == "multipart/form-data" else raw_payload(request)
    if request.mimetype == "application/x-www-form-urlencoded":
        # What curl says of every body unless told otherwise, and curl has taken out the line ends.
        payload = None
    if payload is None or not payload.data:
        raise InputError(NO_SAMPLES)
    return payload


def raw_payload(request: Request) -> Payload:
    """Return the body as it came, with its content type."""
    data = request.get_data(cache=False)
    _check_end(request)
    if request.content_length is not None and len(data) < request.content_length:
        raise MalformedRequest(f"The body is cut short: {len(data)} of {request.content_length} bytes arrived")
    return Payload.of(data, request.headers.get("Content-Type"))


def hook_charset(payload: Payload) -> str:
    """Return the charset that a server names to score hooks."""
    return payload.charset or DEFAULT_CHARSET


def _part(request: Request, name: str) -> Payload | None:
    """Return the first form part of a name; its bytes stay as they were sent, in a field as in a file."""
    found: Field | File | None = None
    is_inside = False
    data = bytearray()
    for event in _events(request):
        if isinstance(event, (Field, File)):
            is_inside = found is None and event.name == name
            found = event if is_inside else found
        elif isinstance(event, Data) and is_inside:
            data += event.data
    _check_end(request)
    if found is None:
        return None
    file_name = found.filename if isinstance(found, File) else ""
    return Payload(bytes(data), tables.media_type_of(file_name))


def _events(request: Request) -> Iterator[Event]:
    """Yield the parts of a multipart body and their data, piece by piece."""
    boundary = request.mimetype_params.get("boundary", "")
    decoder = MultipartDecoder(boundary.encode(), max_parts=MAX_PARTS)
    while True:
        chunk = request.stream.read(CHUNK)
        try:
            decoder.receive_data(chunk or None)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
                if isinstance(event, Epilogue):
                    return
        except RequestEntityTooLarge as error:
            raise PayloadTooLarge(f"The multipart form has more than {MAX_PARTS} parts") from error
        except ValueError as error:
            raise InputError("The multipart form is broken: a part has no name, or its end is missing") from error


def _check_end(request: Request) -> None:
    """Refuse a body without a declared length that goes on beyond the limit, where reading it has stopped."""
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        raise PayloadTooLarge(too_large(request))


def too_large(request: Request) -> str:
    """Return the sentence for a body over the limit."""
    return f"The body is larger than the limit of {request.max_content_length} bytes (--max-body-bytes)"
