"""The bytes that came in, and what their sender said they are."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from custom_model_runner.errors import InputError, PayloadTooLarge

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_CHARSET = "utf8"
DEFAULT_MEDIA_TYPE = "text/plain"
DEFAULT_LIMIT = 1 << 30
# What a table takes at least, in bytes: each number, and what pandas keeps of each column.
CELL = 8
COLUMN = 1024
# From so many columns on, what each takes whatever its rows counts more than what they take.
WIDE = 1024
# What a byte that describes columns takes when it is read, about; made up to take much, it takes some times that.
DESCRIPTION = 32


@dataclass(frozen=True)
class Payload:
    """A body, its media type in lower case without parameters, and its charset as the sender spelt it.

    Names of columns come along where the format has none, and those of text columns, which a format without types would
    take for numbers. `limit` is how many bytes a table made of the body may take that the body itself does not have.
    A part of a larger input brings the types that its columns have there, by name, and the number of the line in which
    its first row begins; where other parts have told these types, they are expected ones, which it may contradict.
    `table` is what was made of the body already.
    """

    data: bytes
    media_type: str = ""
    charset: str | None = None
    column_names: tuple[str, ...] | None = None
    text_columns: frozenset[str] = frozenset()
    limit: int = DEFAULT_LIMIT
    types: Mapping[str, str] | None = None
    has_expected_types: bool = False
    first_line: int | None = None
    table: pd.DataFrame | None = None

    @classmethod
    def of(cls, data: bytes, content_type: str | None, *, limit: int = DEFAULT_LIMIT) -> Payload:
        """Build a payload from a body and a Content-Type such as `text/plain; charset=utf8`."""
        media_type, *parameters = (part.strip() for part in (content_type or "").split(";"))
        charset = None
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "charset":
                charset = value.strip().strip('"') or None
        return cls(data, media_type.lower(), charset, limit=limit)

    def check_shape(self, rows: int, columns: int) -> None:
        """Refuse a table before it is made, if it has more columns, or more cells than bytes, than the limit allows."""
        if columns * COLUMN > self.limit:
            raise PayloadTooLarge(
                f"The input has {columns} columns, expected at most {self.limit // COLUMN} "
                f"under the limit of {self.limit} bytes (--max-decoded-bytes)"
            )
        if rows * columns > len(self.data):
            self.check_size(rows * columns * CELL)

    def check_size(self, size: int) -> None:
        """Refuse a table that takes more bytes than the limit allows; the bytes of the body itself are no matter."""
        if size > max(self.limit, len(self.data)):
            raise PayloadTooLarge(f"The input makes a table of more than {self.limit} bytes (--max-decoded-bytes)")

    def check_description(self, length: int, what: str) -> None:
        """Refuse what describes columns in so many bytes, if it takes more than the limit when it is read."""
        most = max(self.limit, len(self.data)) // DESCRIPTION
        if length > most:
            raise PayloadTooLarge(
                f"The {what} has {length} bytes, expected at most {most} "
                f"under the limit of {self.limit} bytes (--max-decoded-bytes)"
            )

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
