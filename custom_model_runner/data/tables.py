"""Payload to table and table to bytes: the format is chosen by media type or file suffix."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from custom_model_runner import plugins
from custom_model_runner.data import csv_pieces, csv_rows, signatures
from custom_model_runner.errors import InputError, PayloadTooLarge, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from custom_model_runner.data.csv_rows import Rows
    from custom_model_runner.data.payload import Payload

CSV = "text/csv"
Result = TypeVar("Result")


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a payload; an unknown format and unusable data are input errors."""
    for name, line in plugins.FORMATS.items():
        if payload.media_type in line.reads:
            return _read(payload, name, line)
    raise Unsupported(f"The payload format {payload.media_type!r} is not supported; supported: {', '.join(readable())}")


def rows(payload: Payload) -> Rows | None:
    """Return the rows of a small body of plain numbers, without making a table, or None where it takes one."""
    return csv_rows.read(payload) if payload.media_type in plugins.FORMATS["csv"].reads else None


def is_large(payload: Payload) -> bool:
    """Say whether a payload may come in pieces: one of CSV of which nothing is known but the bytes."""
    is_csv = payload.media_type in plugins.FORMATS["csv"].reads
    return is_csv and csv_pieces.is_large(payload.data) and payload.types is None and not payload.text_columns


def each_piece(payload: Payload, use: Callable[[pd.DataFrame], Result]) -> list[Result] | None:
    """Return what a function makes of the rows of a large payload, piece by piece, or None where it takes the whole."""
    found: list[Result] | None = plugins.find(plugins.FORMATS["csv"]).each_piece(payload, use)
    return found


def _read(payload: Payload, name: str, line: plugins.Format) -> pd.DataFrame:
    try:
        with signatures.noticed(payload.data, name):
            table: pd.DataFrame = plugins.find(line).read(payload)
    except MemoryError as error:
        raise PayloadTooLarge(f"The input, read as {name}, needs more memory than there is") from error
    if not table.shape[1]:
        raise InputError(f"The input has no columns; it was read as {name}")
    return table


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a table as one of the `writable` media types."""
    line = next(line for line in plugins.FORMATS.values() if media_type in line.writes)
    written: bytes = plugins.find(line).write(table, media_type)
    return written


def readable() -> list[str]:
    """Return the media types that are read as tables."""
    return [name for line in plugins.FORMATS.values() for name in line.reads if name]


def writable() -> list[str]:
    """Return the media types that tables are written as."""
    return [name for line in plugins.FORMATS.values() for name in line.writes]


def media_type_of(file_name: str, content_type: str = "") -> str:
    """Return the media type that a file name's suffix stands for, else its known content type, else that of CSV."""
    for line in plugins.FORMATS.values():
        for suffix, media_type in line.suffixes.items():
            if file_name.lower().endswith(suffix):
                return media_type
    return content_type if content_type in readable() else CSV


def written_type_of(file_name: str) -> str:
    """Return the media type in which a file of this name is written; an unknown suffix means CSV."""
    media_type = media_type_of(file_name)
    return media_type if media_type in writable() else CSV
