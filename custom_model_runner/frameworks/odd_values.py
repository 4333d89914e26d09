"""Where in a table stands what a model does not take, as pieces of a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

Column = tuple[str, "pd.Series[Any]"]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def found(columns: Iterable[Column], is_odd: Callable[[pd.Series[Any]], Mask]) -> dict[str, int]:
    """Return the names of the columns that hold odd values, and the place of the first one in each."""
    masks = ((name, is_odd(column)) for name, column in columns)
    return {name: int(np.argmax(mask)) for name, mask in masks if mask.any()}


def first(*every: Mapping[str, int], rows: int) -> list[str | int]:
    """Return what tells the first of so many rows that holds any of what was found."""
    places = [place for each in every for place in each.values()]
    return ["; the first of these values is in row ", min(places)] if places and rows > 1 else []


def texts(columns: Iterable[Column]) -> list[str | int]:
    """Return what tells of named columns that hold numbers but for some rows, and the first of these rows."""
    pieces: list[str | int] = []
    for name, column in columns:
        row = _first_text(column)
        if row is not None:
            pieces += [f"column {name} holds numbers, but none in row ", row, "; "]
    return pieces


def _first_text(column: pd.Series[Any]) -> int | None:
    """Return the place of the first value that is no number, if it stands in the way of more that are."""
    if not is_string_dtype(column.dtype):
        return None
    try:
        is_number = pd.to_numeric(column, errors="coerce").notna().to_numpy()
    except OverflowError:
        # An integer that no float holds is no text.
        return None
    is_text = column.notna().to_numpy() & ~is_number
    return int(np.argmax(is_text)) if 0 < is_text.sum() < is_number.sum() else None
