"""What a column holds, whatever library or format it came from, and the first row that holds something else."""

from __future__ import annotations

import datetime
import decimal
import numbers
from collections.abc import Collection
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_object_dtype, is_string_dtype

Rows = np.ndarray[Any, np.dtype[np.bool_]]


class ColumnKind(str, Enum):
    """The kind of a column's values, in the words of messages; missing values have none."""

    INTEGER = "a whole number"
    NUMBER = "a decimal number"
    BOOLEAN = "a truth value"
    TEXT = "text"
    DATE = "a date"
    DURATION = "a duration"
    EMPTY = "nothing"
    OTHER = "another value"

    def __str__(self) -> str:
        return self.value


NUMERIC = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.BOOLEAN})
# By `numpy.dtype.kind`, which the dtypes of pandas have too.
BY_LETTER = {
    "i": ColumnKind.INTEGER,
    "u": ColumnKind.INTEGER,
    "f": ColumnKind.NUMBER,
    "b": ColumnKind.BOOLEAN,
    "M": ColumnKind.DATE,
    "m": ColumnKind.DURATION,
}
# By what `pandas.api.types.infer_dtype` says of Python objects.
BY_CONTENT = {
    "string": ColumnKind.TEXT,
    "integer": ColumnKind.INTEGER,
    "floating": ColumnKind.NUMBER,
    "mixed-integer-float": ColumnKind.NUMBER,
    "decimal": ColumnKind.NUMBER,
    "boolean": ColumnKind.BOOLEAN,
    "datetime64": ColumnKind.DATE,
    "datetime": ColumnKind.DATE,
    "date": ColumnKind.DATE,
    "timedelta64": ColumnKind.DURATION,
    "timedelta": ColumnKind.DURATION,
    "empty": ColumnKind.EMPTY,
}
# By class; a truth value is a number to Python, and a moment is a date.
BY_CLASS: tuple[tuple[type | tuple[type, ...], ColumnKind], ...] = (
    ((bool, np.bool_), ColumnKind.BOOLEAN),
    (numbers.Integral, ColumnKind.INTEGER),
    ((numbers.Real, decimal.Decimal), ColumnKind.NUMBER),
    (str, ColumnKind.TEXT),
    ((datetime.date, np.datetime64), ColumnKind.DATE),
    ((datetime.timedelta, np.timedelta64), ColumnKind.DURATION),
)


def kind_of(column: pd.Series[Any]) -> ColumnKind:
    """Return the kind of a column; of a categorical one that of its categories."""
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return kind_of(pd.Series(dtype.categories))
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    known = BY_LETTER.get(dtype.kind)
    if known is not None:
        return known
    if not is_object_dtype(dtype) and is_string_dtype(dtype):
        return ColumnKind.TEXT
    # Other dtypes of pandas, those of Arrow among them, hold Python objects to the eye.
    return BY_CONTENT.get(infer_dtype(np.asarray(column, dtype=object), skipna=True), ColumnKind.OTHER)


def kind_of_value(value: object) -> ColumnKind:
    """Return the kind of a single value that is not missing."""
    return next((kind for classes, kind in BY_CLASS if isinstance(value, classes)), ColumnKind.OTHER)


def missing(column: pd.Series[Any]) -> Rows:
    """Say for each row whether its value is missing."""
    return np.asarray(column.isna(), dtype=bool)


def has_missing(column: pd.Series[Any]) -> bool:
    """Say whether any value is missing; this is asked of every table, so it is done in the cheapest way there is."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return False
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return bool(np.isnan(column.to_numpy()).any())
    if isinstance(dtype, pd.SparseDtype) and dtype.kind == "f" and dtype.fill_value == 0:
        stored: Any = column.array
        return bool(np.isnan(stored.sp_values).any())
    if is_object_dtype(dtype) and infer_dtype(column.to_numpy(), skipna=False) == "string":
        return False
    return bool(column.isna().any())


def texts(column: pd.Series[Any]) -> pd.Series[str]:
    """Return the values that are there as text."""
    return pd.Series(np.asarray(column.dropna(), dtype=object), dtype=object).astype(str)


def is_whole(column: pd.Series[Any]) -> Rows:
    """Say for each row of a column whether its value is a whole number, or missing."""
    values = _as_numbers(column)
    rows: Rows = missing(column) | (np.isfinite(values) & (np.floor(values) == values))
    return rows


def _as_numbers(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the values as floats; text is read as a CSV reader reads it, and what is no number becomes NaN."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64)
    as_numbers = pd.to_numeric(pd.Series(np.asarray(column, dtype=object)), errors="coerce")
    return np.asarray(as_numbers, dtype=np.float64)


def first(rows: Rows) -> int | None:
    """Return the first row that is true, counted from 0, or None where none is."""
    return int(np.argmax(rows)) if rows.any() else None


def first_unlike(column: pd.Series[Any], wanted: Collection[ColumnKind]) -> int:
    """Return the row that makes a column another kind than the wanted ones: one word among numbers makes it text."""
    present = ~missing(column)
    kind = kind_of(column)
    rows = np.zeros(len(column), dtype=bool)
    if kind is ColumnKind.OTHER:
        rows = np.fromiter((kind_of_value(value) not in wanted for value in column), dtype=bool, count=len(column))
    elif kind in (ColumnKind.TEXT, ColumnKind.NUMBER) and ColumnKind.NUMBER in wanted:
        rows = np.isnan(_as_numbers(column))
    elif kind in (ColumnKind.TEXT, ColumnKind.NUMBER) and ColumnKind.INTEGER in wanted:
        rows = ~is_whole(column)
    elif kind is ColumnKind.TEXT and ColumnKind.BOOLEAN in wanted:
        rows = ~np.asarray(
            pd.Series(np.asarray(column, dtype=object)).astype(str).str.lower().isin(["true", "false"]), dtype=bool
        )
    found = first(rows & present)
    return found if found is not None else first(present) or 0
