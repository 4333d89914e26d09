"""The bytes that came in, and what their sender said they are."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from custom_model_runner.errors import InputError

DEFAULT_CHARSET = "utf8"
DEFAULT_MEDIA_TYPE = "text/plain"


@dataclass(frozen=True)
class Payload:
    """A body, its media type in lower case without parameters, and its charset as the sender spelt it.

    Names of columns come along where the format has none, and those of text columns, which a format without types would
    take for numbers.
    """

    data: bytes
    media_type: str = ""
    charset: str | None = None
    column_names: tuple[str, ...] | None = None
    text_columns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: bytes, content_type: str | None) -> Payload:
        """Build a payload from a body and a Content-Type such as `text/plain; charset=utf8`."""
        media_type, *parameters = (part.strip() for part in (content_type or "").split(";"))
        charset = None
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "charset":
                charset = value.strip().strip('"') or None
        return cls(data, media_type.lower(), charset)

    @property
    def is_text(self) -> bool:
        """Say whether the body is handed to user code as text."""
        media_type = self.media_type or DEFAULT_MEDIA_TYPE
        return media_type.startswith("text/") or media_type == "application/json"

    def text(self) -> str:
        """Return the body decoded with its charset; an unknown charset or broken bytes are an input error."""
        charset = self.charset or DEFAULT_CHARSET
        known = codec(charset)
        if known is None:
            raise InputError(f"The charset {charset!r} is unknown; expected one that Python knows, such as utf-8")
        try:
            return known.decode(self.data)[0]
        except UnicodeError as error:
            raise InputError(f"The body is not valid {known.name} text, as its content type says") from error


def codec(charset: str) -> codecs.CodecInfo | None:
    """Return the text codec of a charset name, or None where there is none."""
    try:
        found = codecs.lookup(charset)
    except (LookupError, ValueError):
        return None
    # Codecs such as base64 turn bytes into bytes; they are no charset.
    return found if getattr(found, "_is_text_encoding", True) else None
