"""Payload to table: the format is chosen by media type or file suffix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custom_model_runner import plugins
from custom_model_runner.errors import InputError, Unsupported

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload


CSV = "text/csv"


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a payload; an unknown format and unusable data are input errors."""
    for line in plugins.FORMATS.values():
        if payload.media_type in line.media_types:
            table: pd.DataFrame = plugins.find(line).read(payload)
            if not table.shape[1]:
                raise InputError("The input has no columns")
            return table
    raise Unsupported(
        f"The payload format {payload.media_type!r} is not supported; supported: {', '.join(media_types())}"
    )


def media_types() -> list[str]:
    """Return the media types that are read as tables."""
    return [name for line in plugins.FORMATS.values() for name in line.media_types if name]


def media_type_of(file_name: str) -> str:
    """Return the media type that a file name's suffix stands for; an unknown suffix is read as CSV."""
    for line in plugins.FORMATS.values():
        if file_name.lower().endswith(line.suffixes):
            return next(name for name in line.media_types if name)
    return CSV
