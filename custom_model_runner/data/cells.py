"""The text of single values, the same in CSV and in JSON.

A float is written with the shortest digits that read back as the same double, and keeps its point. A missing value
is empty in CSV and `null` in JSON; infinities are `inf` and `-inf` in CSV and, JSON having none, `null` there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pandas as pd

from custom_model_runner.errors import ContractError

# Only for arrays: a lone number of single precision would be written with fewer digits than in CSV.
NUMPY = orjson.OPT_SERIALIZE_NUMPY
NUMBERS = {float, int, bool, type(None)}


def json_text(value: Any) -> bytes:
    """Return JSON without blanks; what JSON does not know becomes its text."""
    try:
        return orjson.dumps(value, default=plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise ContractError(f"The predictions hold a value that JSON cannot: {error}") from error


def json_texts(column: list[Any]) -> list[bytes]:
    """Return each value as JSON; numbers, whose JSON has no comma, in one go."""
    if set(map(type, column)) <= NUMBERS:
        return json_text(column)[1:-1].split(b",") if column else []
    return [json_text(value) for value in column]


def json_constant(text: str) -> bytes:
    """Return text as JSON that stands in a template."""
    return json_text(text).replace(b"%", b"%%")


def json_floats(values: np.ndarray[Any, Any]) -> bytes:
    """Return floats as JSON, nested as the array is."""
    return orjson.dumps(np.ascontiguousarray(values, dtype=np.float64), option=NUMPY)


def plain(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


def array(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the values of a column; where it can hold missing ones beside integers, these stay integers."""
    is_plain = isinstance(column.dtype, np.dtype)
    return column.to_numpy() if is_plain else column.to_numpy(dtype=object)


def values(column: pd.Series[Any]) -> list[Any]:
    """Return what JSON is made of; dates are milliseconds since 1970, as pandas writes them there."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    plain = array(column)
    if plain.dtype.kind == "M":
        milliseconds = plain.astype("datetime64[ms]").astype(np.int64).tolist()
        missing = np.isnat(plain).tolist()
        return [None if gone else value for gone, value in zip(missing, milliseconds, strict=True)]
    found: list[Any] = plain.tolist()
    return found


def float_lines(values: np.ndarray[Any, Any]) -> bytes:
    """Return an n x k float64 array as n lines of k fields."""
    if not len(values):
        return b""
    # A line without a single character would be skipped by most readers, and the row lost.
    missing = b'""' if values.shape[1] == 1 else b""
    if np.isinf(values).any():
        rows = (b",".join(_float_text(value) or missing for value in row) for row in values.tolist())
        return b"\n".join(rows) + b"\n"
    return json_floats(values)[2:-2].replace(b"],[", b"\n").replace(b"null", missing) + b"\n"


def _float_text(value: float) -> bytes:
    if math.isinf(value):
        return b"inf" if value > 0 else b"-inf"
    return b"" if math.isnan(value) else orjson.dumps(value)


def texts(column: np.ndarray[Any, Any]) -> list[str]:
    """Return the CSV text of each value of a column."""
    if column.dtype.kind == "f":
        return [_float_text(value).decode() for value in column.astype(np.float64).tolist()]
    if column.dtype.kind == "M":
        # In nanoseconds a date would come out as a number.
        column = column.astype("datetime64[us]")
    return [_text(value) for value in column.tolist()]


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _float_text(value).decode()
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    return str(value)
