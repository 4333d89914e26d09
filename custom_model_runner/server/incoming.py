"""The bytes of a request as they come in: bounded, whole, and with their content encodings undone."""

from __future__ import annotations

from flask import Request, current_app
from werkzeug.exceptions import ClientDisconnected

from custom_model_runner.data import compression
from custom_model_runner.data.compression import Readable
from custom_model_runner.errors import MalformedRequest, PayloadTooLarge, TooSlow
from custom_model_runner.server import current

# The key of an application's configuration that holds the bound on decoded bytes.
DECODED_LIMIT = "MAX_DECODED_BYTES"
TOO_SLOW = "The request did not come in time (--receive-timeout)"


class _Body:
    """A body as it was sent; one that is over the limit or cut short is an input error."""

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit
        self._size = 0

    def read(self, size: int, /) -> bytes:
        room = self._limit - self._size
        try:
            data = self._request.stream.read(min(size, room)) if room else self._check_end()
        except (TimeoutError, ClientDisconnected) as error:
            if isinstance(error.__context__ if isinstance(error, ClientDisconnected) else error, TimeoutError):
                raise TooSlow(TOO_SLOW) from error
            raise
        self._size += len(data)
        declared = self._request.content_length
        if not data and declared is not None and self._size < declared:
            raise MalformedRequest(f"The body is cut short: {self._size} of {declared} bytes arrived")
        if not data:
            current.note_received()
        return data

    def _check_end(self) -> bytes:
        """Return nothing, and make sure that there was nothing; the stream itself would refuse to look."""
        if self._request.content_length is None and self._request.environ["wsgi.input"].read(1):
            raise PayloadTooLarge(too_large(self._request))
        return b""


def opened(request: Request) -> Readable:
    """Return what the body of a request decodes to, as a source that is read once."""
    encodings = compression.encodings_of(request.headers.get("Content-Encoding", ""))
    body = _Body(request, request.max_content_length or 0)
    return compression.decoded(body, encodings, decoded_limit())


def decoded_limit() -> int:
    """Return how many bytes a body may decode to, and a table be made of that its body does not have."""
    limit: int = current_app.config[DECODED_LIMIT]
    return limit


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers as user code sees them: those of the encoded body do not fit what it gets."""
    headers = dict(request.headers)
    if request.headers.get("Content-Encoding"):
        headers.pop("Content-Encoding")
        headers.pop("Content-Length", None)
    return headers


def too_large(request: Request) -> str:
    """Return the sentence for a body over the limit."""
    return f"The body is larger than the limit of {request.max_content_length} bytes (--max-body-bytes)"
