"""What a request carries, as a payload."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from custom_model_runner import parsers
from custom_model_runner.data import chat, compression, records, tables, transform_parts
from custom_model_runner.data.chat import Asked
from custom_model_runner.data.payload import DEFAULT_CHARSET, Payload
from custom_model_runner.data.transform_parts import ArrowVersion
from custom_model_runner.errors import InputError, MalformedRequest, PayloadTooLarge, UnknownMediaType
from custom_model_runner.server import current, incoming

# Callers match this text.
NO_SAMPLES = "Samples should be provided as:   - a csv or mtx under `X` form-data param key.  - binary data"
ROWS = "X"
COLUMN_NAMES = "X.colnames"
TARGET = "y"
ARROW = "arrow_version"
JSON = "application/json"
CHUNK = 1 << 16
MAX_PARTS = 1000


def table_payload(request: Request) -> Payload:
    """Return the rows of a request: the form part `X`, as file or field, or the whole body."""
    parts = _parts(request, (ROWS, COLUMN_NAMES)) if _is_form(request) else {ROWS: raw_payload(request)}
    return _table(request, parts)


@dataclass(frozen=True)
class TransformRequest:
    """A table, its target if it came along, and the client's version of Arrow if it wants an Arrow stream."""

    table: Payload
    target: Payload | None = None
    arrow: ArrowVersion | None = None


def transform_request(request: Request) -> TransformRequest:
    """Return what is to be transformed: the parts `X` and `y` of a form, or the whole body."""
    if not _is_form(request):
        return TransformRequest(_table(request, {ROWS: raw_payload(request)}))
    parts = _parts(request, (ROWS, COLUMN_NAMES, TARGET, ARROW))
    version = transform_parts.arrow_version(parts[ARROW].data) if ARROW in parts else None
    return TransformRequest(_table(request, parts), parts.get(TARGET), version)


def _is_form(request: Request) -> bool:
    return request.mimetype == "multipart/form-data"


def _table(request: Request, parts: Mapping[str, Payload]) -> Payload:
    """Return the rows among the parts of a request, with the names of their columns where some were sent."""
    rows = parts.get(ROWS)
    # What curl says of every body unless told otherwise, and curl has taken out the line ends.
    is_for_curl = request.mimetype == "application/x-www-form-urlencoded"
    if is_for_curl:
        raise InputError(f"{NO_SAMPLES} (found a form of curl; say what the data is: -H 'Content-Type: text/csv')")
    if rows is None:
        raise InputError(f"{NO_SAMPLES} (found a form without the part {ROWS})")
    if not rows.data:
        raise InputError(
            f"{NO_SAMPLES} (found nothing: the {f'part {ROWS}' if _is_form(request) else 'body'} is empty)"
        )
    if COLUMN_NAMES not in parts:
        return rows
    try:
        return replace(rows, column_names=parsers.column_names(parts[COLUMN_NAMES].data))
    except ValueError as error:
        raise InputError(f"The form part {COLUMN_NAMES} cannot be used: {error}") from error


def raw_payload(request: Request) -> Payload:
    """Return the body with its content type, its content encodings undone."""
    data = compression.read_all(incoming.opened(request), expected=request.content_length or 0)
    return Payload.of(data, request.headers.get("Content-Type"), limit=incoming.decoded_limit())


def asked(request: Request) -> Asked:
    """Return what a chat request asks for; whatever keeps it from being JSON is the request's fault."""
    media_type = request.mimetype
    if media_type not in ("", JSON) and not media_type.endswith("+json"):
        raise UnknownMediaType(f"The content type is {media_type!r}, expected {JSON}")
    try:
        params = records.parse("JSON", raw_payload(request).data)
    except InputError as error:
        raise error if error.status != InputError.status else MalformedRequest(str(error)) from error
    # Found by their names in any case, as hooks are used to.
    sent = cast("Mapping[str, str]", Headers(incoming.headers_of(request)))
    return chat.asked(params, sent, request_id=current.exchange().request_id)


def hook_charset(payload: Payload) -> str:
    """Return the charset that a server names to score hooks."""
    return payload.charset or DEFAULT_CHARSET


def _parts(request: Request, names: Collection[str]) -> dict[str, Payload]:
    """Return the first form part of each name; its bytes stay as they were sent, in a field as in a file."""
    found: dict[str, Payload] = {}
    part: Field | File | None = None
    data = bytearray()
    for event in _events(request):
        if isinstance(event, (Field, File)):
            part = event if event.name in names and event.name not in found else None
        elif isinstance(event, Data) and part is not None:
            data += event.data
            if not event.more_data:
                found[part.name] = Payload(bytes(data), _media_type(part), limit=incoming.decoded_limit())
                data = bytearray()
    return found


def _media_type(part: Field | File) -> str:
    """Return what a part holds, by the suffix of its file, else by its own content type, else CSV."""
    declared = Payload.of(b"", part.headers.get("Content-Type")).media_type
    return tables.media_type_of(part.filename if isinstance(part, File) else "", declared)


def _events(request: Request) -> Iterator[Event]:
    """Yield the parts of a multipart body and their data, piece by piece."""
    boundary = request.mimetype_params.get("boundary", "")
    decoder = MultipartDecoder(boundary.encode(), max_parts=MAX_PARTS)
    body = incoming.opened(request)
    while True:
        chunk = body.read(CHUNK)
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
