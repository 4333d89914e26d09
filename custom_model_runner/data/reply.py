"""What an unstructured model gave back, and how it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from custom_model_runner.data.payload import Payload, codec
from custom_model_runner.errors import ContractError

TEXT = "text/plain"
BINARY = "application/octet-stream"
CHARSET = "utf-8"


@dataclass(frozen=True)
class Reply:
    """A body ready to be sent; `is_none` says that the hook returned nothing."""

    body: bytes
    content_type: str
    is_text: bool
    is_none: bool = False


def read(result: Any) -> Reply:
    """Return the reply for a hook's return value: text, bytes or None, alone or with `{"mimetype", "charset"}`."""
    data, named = _unpack(result)
    media_type, _, parameters = named.get("mimetype", "").partition(";")
    charset = named.get("charset") or Payload.of(b"", f";{parameters}").charset
    if isinstance(data, bytes):
        content_type = media_type or BINARY
        return Reply(data, f"{content_type}; charset={charset}" if charset else content_type, is_text=False)
    charset = charset or CHARSET
    content_type = f"{media_type or TEXT}; charset={charset}"
    return Reply(_encode(data or "", charset), content_type, is_text=True, is_none=data is None)


def _unpack(result: Any) -> tuple[str | bytes | None, dict[str, str]]:
    data, named = result, None
    if isinstance(result, tuple):
        if len(result) != 2:
            raise ContractError(
                "The score_unstructured hook returned a tuple of "
                f"{len(result)} values, expected 2: the data and a dict with mimetype and charset"
            )
        data, named = result
    if data is not None and not isinstance(data, (str, bytes)):
        raise ContractError(
            f"The score_unstructured hook returned {type(data).__name__} as data, expected str or bytes"
        )
    if named is not None and not isinstance(named, dict):
        raise ContractError(
            f"The score_unstructured hook returned {type(named).__name__} beside the data, expected a dict"
        )
    return data, {key: _word(key, value) for key, value in (named or {}).items() if value is not None}


def _word(key: object, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        raise ContractError(f"The score_unstructured hook returned a {key!r} that cannot stand in a header")
    return value


def _encode(text: str, charset: str) -> bytes:
    known = codec(charset)
    if known is None:
        raise ContractError(f"The score_unstructured hook returned the unknown charset {charset!r}")
    try:
        return known.encode(text)[0]
    except UnicodeError as error:
        raise ContractError(f"The text that score_unstructured returned cannot be written in {charset}") from error
