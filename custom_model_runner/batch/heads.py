"""The head of a segment: the names and types of its columns, as an Arrow schema, and those of all segments together.

Integers become as wide as any needs, floats as well; integers that meet floats, or blocks in which their column holds
nothing, become float64, as in a table of pandas. A column that holds nothing in a block fits any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
from pandas.api.types import is_float_dtype, is_integer_dtype, is_object_dtype

from custom_model_runner.errors import ContractError

# In text, whatever is no number: values of any types stand side by side there.
OTHER = pa.string()
# The mark of a column that holds nothing in a segment, and therefore fits any other.
EMPTY = {"holds": "nothing"}
UNITS = ("s", "ms", "us", "ns")
REMEDY = "return the same for all rows, or have --whole-file hand them over at once"
# Returns the type of a column that has these two in two segments, None if there is none.
Meet = Callable[[Any, Any], Any]


class Unlike(ContractError):
    """The predictions of some rows have other columns than those of others, and would have again."""


def of_text(table: pd.DataFrame) -> bytes:
    """Return the head of rows of text, which tells numbers from all else."""
    try:
        return _head([_text_field(str(name), column) for name, column in table.items()])
    except UnicodeEncodeError as error:
        raise ContractError("The predictions hold text that cannot be written as UTF-8") from error


def _text_field(name: str, column: pd.Series[Any]) -> Any:
    if is_integer_dtype(column.dtype):
        return pa.field(name, pa.int64())
    if is_float_dtype(column.dtype):
        return pa.field(name, pa.float64())
    return pa.field(name, OTHER, metadata=EMPTY if _is_empty(column) else None)


def _is_empty(column: pd.Series[Any]) -> bool:
    """Say whether a column of no type of its own holds nothing; most tell by their first value."""
    return is_object_dtype(column.dtype) and bool(column.iloc[:1].isna().all() and column.isna().all())


def of_columns(table: Any) -> bytes:
    """Return the head of an Arrow table."""
    return _head([_field(field, column) for field, column in zip(table.schema, table.columns, strict=True)])


def _field(field: Any, column: Any) -> Any:
    """Return a field, marked if its column holds nothing; integers are only where they were asked for."""
    is_empty = column.null_count == len(column) and not pa.types.is_integer(field.type)
    return field.with_metadata(EMPTY) if is_empty else field


def _head(fields: Iterable[Any]) -> bytes:
    head: bytes = pa.schema(list(fields)).serialize().to_pybytes()
    return head


def schema(head: bytes) -> Any:
    """Return names and types of columns."""
    return pa.schema([field.remove_metadata() for field in _schema(head)])


def _schema(head: bytes) -> Any:
    return pa.ipc.read_schema(pa.py_buffer(head))


def names(head: bytes) -> Sequence[str]:
    """Return the names of columns."""
    found: Sequence[str] = _schema(head).names
    return found


def in_text(known: bytes, found: bytes) -> bytes:
    """Return the head of two segments of text; other columns are refused."""
    return _joined(known, found, lambda one, other: _number(one, other) or OTHER)


def in_columns(known: bytes, found: bytes) -> bytes:
    """Return the head of two segments of a columnar file; columns that have no common type are refused."""
    return _joined(known, found, lambda one, other: _number(one, other) or _moment(one, other))


def as_written(known: bytes, found: bytes) -> bytes:
    """Return the head of what is written already, in columns; a segment that does not fit into it is refused."""
    if known != found:
        _joined(_head(schema(known)), found, lambda one, other: one if _number(one, other) == one else None)
    return known


def _joined(known: bytes, found: bytes, meet: Meet) -> bytes:
    if known == found:
        return known
    old, new = _schema(known), _schema(found)
    _check_names(new.names, old.names)
    return _head(_met(*fields, meet) for fields in zip(old, new, strict=True))


def _check_names(found: Sequence[str], expected: Sequence[str]) -> None:
    if list(found) == list(expected):
        return
    more = next((name for name in found if name not in expected), None)
    gone = next((name for name in expected if name not in found), None)
    if more is not None:
        what = f"have a column {more!r} that those before have not"
    elif gone is not None:
        what = f"have no column {gone!r}, expected one as before"
    else:
        what = "have their columns in another order than those before"
    raise Unlike(f"The predictions {what}; {REMEDY}")


def _met(known: Any, found: Any, meet: Meet) -> Any:
    if known.metadata and found.metadata:
        return known
    if known.metadata or found.metadata:
        return _beside_nothing(found if known.metadata else known)
    if known.type == found.type:
        return known
    type_ = meet(known.type, found.type)
    if type_ is None:
        both = ", and no integers hold both" if all(map(pa.types.is_integer, (known.type, found.type))) else ""
        what = f"is {found.type}, expected {known.type} as in the rows before{both}"
        raise Unlike(f"The column {known.name!r} of the predictions {what}; {REMEDY}")
    return known.with_type(type_)


def _beside_nothing(field: Any) -> Any:
    """Return the field of a column that holds nothing in other segments: pandas has floats for integers there."""
    return field.with_type(pa.float64()) if pa.types.is_integer(field.type) else field


def _number(one: Any, other: Any) -> Any:
    """Return the type that holds numbers of two types, None where these are none, or no integers hold both."""
    integers = [pa.types.is_integer(kind) for kind in (one, other)]
    floats = [pa.types.is_floating(kind) for kind in (one, other)]
    if not all(map(max, integers, floats)):
        return None
    if any(integers) and any(floats):
        return pa.float64()
    wide = pa.from_numpy_dtype(np.promote_types(one.to_pandas_dtype(), other.to_pandas_dtype()))
    return wide if pa.types.is_integer(wide) == all(integers) else None


def _moment(one: Any, other: Any) -> Any:
    """Return the finer of two types of moments in one time zone."""
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other) and one.tz == other.tz:
        return max(one, other, key=lambda kind: UNITS.index(kind.unit))
    return None


def to_float(found: bytes, known: bytes) -> Sequence[int]:
    """Return the places of columns that are integers in a segment, and floats in all together."""
    if found == known:
        return ()
    pairs = enumerate(zip(_schema(found), _schema(known), strict=True))
    return [n for n, (new, old) in pairs if pa.types.is_integer(new.type) and pa.types.is_floating(old.type)]


def cast(table: Any, expected: Any) -> Any:
    """Return an Arrow table with the types of a schema that its head has led to."""
    if table.schema.equals(expected):
        return table
    pairs = zip(table.columns, expected, strict=True)
    return pa.Table.from_arrays([_cast(column, field.type) for column, field in pairs], schema=expected)


def _cast(column: Any, type_: Any) -> Any:
    if column.null_count == len(column):
        return pa.nulls(len(column), type_)
    try:
        # Integers beyond 53 bits are rounded, as by pandas.
        return column.cast(type_, safe=not pa.types.is_floating(type_))
    except pa.ArrowInvalid as error:
        raise Unlike(
            f"The predictions hold a {column.type} that no {type_} can hold, as other rows have; {REMEDY}"
        ) from error
