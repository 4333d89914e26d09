"""Tables made of what JSON holds: numbers, text, truth values, null, lists and objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pandas as pd
from pandas.api.types import infer_dtype

from custom_model_runner.data import column_facts, missing
from custom_model_runner.data.column_facts import LEAST, MOST, WORDS, Holds
from custom_model_runner.data.payload import CELL
from custom_model_runner.errors import InputError, PayloadTooLarge

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What pandas calls columns that become numbers: without any value, and with integers that fit no common type.
NUMBERS = frozenset({"empty", "integer", "mixed-integer-float"})
# What the parser says of a document for which there is no room.
OUT_OF_MEMORY = "Not enough memory"
# Bytes that an object or a list takes, about, without its values, for which a number is kept each.
CONTAINER = 128
NOTHING = type(None)
KINDS: Mapping[type, Holds] = {
    NOTHING: Holds.MISSING,
    bool: Holds.TRUTH,
    int: Holds.WHOLE,
    float: Holds.FRACTION,
    str: Holds.TEXT,
}
# What the values of a column of each type may be.
ALLOWED: Mapping[str, set[type]] = {
    "int64": {int},
    "float64": {int, float, NOTHING},
    "bool": {bool},
    "str": {str, NOTHING},
}


def size(data: bytes) -> int:
    """Return about how many bytes the values of JSON text take at least: a few characters can be one of them."""
    return (data.count(b"{") + data.count(b"[")) * CONTAINER + data.count(b",") * CELL


def parse(format_name: str, data: bytes, *, line: int | None = None) -> Any:
    """Return what JSON text holds; `line` is where it stands in the input. Errors tell the place, never the text.

    Integers up to 64 bits stay integers, larger ones become floats.
    """
    try:
        return orjson.loads(data.removeprefix(BYTE_ORDER_MARK))
    except SystemError as error:
        # What the parser says when some object cannot be made.
        raise MemoryError from error
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(OUT_OF_MEMORY):
            raise MemoryError from error
        odd = _odd_line(data)
        if odd is not None:
            reason = f"its encoding must be UTF-8, which line {line or odd} is not"
            raise InputError(f"The {format_name} input cannot be decoded: {reason}") from error
        place = f"line {line or error.lineno}, column {error.colno}"
        raise InputError(f"The {format_name} input is broken or cut short at {place}") from error


def _odd_line(data: bytes) -> int | None:
    """Return the first line that is not UTF-8, None if there is none."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return 1 + data.count(b"\n", 0, error.start)
    return None


def check_rows(format_name: str, rows: Sequence[Any], *, line_of: Callable[[int], int] | None = None) -> None:
    """Refuse a list that holds anything but objects; `line_of` tells the line of a row, counted from 0."""
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            place = f"row {number}, counted from 0," if line_of is None else f"line {line_of(number)}"
            raise InputError(f"The {format_name} input is no table: {place} is not an object")


def typed(
    format_name: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], *, line_of: Callable[[int], int]
) -> pd.DataFrame:
    """Return the table of some of the objects of an input whose columns have these types; others contradict it.

    `line_of` tells the line of a row, counted from 0.
    """
    late = min(set().union(*rows) - types.keys(), default=None)
    if late is not None:
        row = next(place for place, row in enumerate(rows) if late in row)
        what = f"column {late!r} comes late, expected in the beginning"
        raise column_facts.contradiction(format_name, line_of(row), what)
    columns = {}
    for name, type_ in types.items():
        values = [row.get(name) for row in rows]
        if (found := _contradicting(values, type_)) is not None:
            what = f"column {name!r} holds {found[1]}, expected {type_}"
            raise column_facts.contradiction(format_name, line_of(found[0]), what)
        columns[name] = _column(values, type_)
    return missing.as_nan(pd.DataFrame(columns))


def _column(values: Sequence[Any], type_: str) -> Any:
    """Return a column as the table of all rows would infer it; arrays are made much faster than other columns."""
    if type_ in ALLOWED and type_ != "str":
        return np.array(values, dtype=type_)
    return pd.Series(values, dtype=pd.Series(["text"]).dtype if type_ == "str" else type_)


def _contradicting(values: Sequence[Any], type_: str) -> tuple[int, str] | None:
    """Return the place of the first value that a type does not allow, and what it is; None if all are allowed."""
    allowed = ALLOWED.get(type_)
    if allowed is None:
        return None
    if not set(map(type, values)) <= allowed:
        place = next(place for place, value in enumerate(values) if type(value) not in allowed)
        kind = KINDS.get(type(values[place]))
        return place, "a list or an object" if kind is None else WORDS[kind]
    if type_ == "int64" and values and (min(values) < LEAST or max(values) > MOST):
        return next(place for place, value in enumerate(values) if not LEAST <= value <= MOST), WORDS[Holds.UNSIGNED]
    return None


def from_rows(format_name: str, rows: Sequence[Any], *, check_shape: Callable[[int, int], None]) -> pd.DataFrame:
    """Return the table of a list of objects; a key that a row lacks is a missing value there.

    A few keys in each of many rows make a large table, so its shape is checked before it is made.
    """
    check_rows(format_name, rows)
    _check_keys(rows, check_shape)
    return _settled(pd.DataFrame(rows)) if any(rows) else pd.DataFrame()


def _check_keys(rows: Sequence[Mapping[str, Any]], check_shape: Callable[[int, int], None]) -> None:
    try:
        # Cheap, and not less than there are.
        check_shape(len(rows), sum(map(len, rows)))
    except PayloadTooLarge:
        check_shape(len(rows), len(set().union(*rows)))


def from_lists(names: list[str], rows: list[list[Any]]) -> pd.DataFrame:
    """Return the table of lists that are as long as there are names."""
    return _settled(pd.DataFrame(rows, columns=names)) if rows else _without_rows(names)


def from_columns(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the table of lists of one length."""
    return _settled(pd.DataFrame(columns)) if any(columns.values()) else _without_rows(columns)


def _without_rows(names: Iterable[str]) -> pd.DataFrame:
    # As CSV has it: nothing tells the types.
    return pd.DataFrame({name: [] for name in names}, dtype=object)


def _settled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the types that CSV would give the same numbers and gaps."""
    return missing.as_nan(table, lambda column: infer_dtype(column, skipna=True) in NUMBERS)
