"""NDJSON of plain values, read by columns, by pyarrow: only where that gives what reading it by records would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.json

from custom_model_runner.data import columnar, missing
from custom_model_runner.data.column_facts import MOST
from custom_model_runner.data.payload import WIDE

if TYPE_CHECKING:
    import pandas as pd

# What values of columns of each type are read as; truth values beside gaps are objects.
KINDS = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "object": pa.bool_(), "str": pa.string()}
NEWLINE, RETURN, BRACE = b"\n\r}"
OBJECT_ENDS = (b"}", b"}\n", b"}\r\n")
# A zero without a sign to the parser of records, since integers have no negative one.
NEGATIVE_ZERO = re.compile(rb"-0[\s,}]")


def read(data: bytes, types: Mapping[str, str]) -> pd.DataFrame | None:
    """Return the table of lines whose columns have these types, None where records are to be made of them."""
    found = table(data, {name: KINDS[type_] for name, type_ in types.items()})
    if found is None or any(
        found.column(name).null_count for name, type_ in types.items() if type_ in ("int64", "bool")
    ):
        return None
    objects = [name for name, type_ in types.items() if type_ == "object"]
    return missing.as_nan(columnar.to_frame(found).astype(dict.fromkeys(objects, object)))


def table(data: bytes, kinds: Mapping[str, Any]) -> Any:
    """Return the Arrow table of lines that hold values of these kinds; None where they do not, or it is not sure."""
    rows = _rows(data)
    # Each value takes the parser longer, the more names there are; of very many it takes longer than records do.
    if not 0 < len(kinds) <= WIDE or rows is None:
        return None
    try:
        found = _parsed(data, kinds)
    except pa.ArrowInvalid:
        return None
    is_same = found.num_rows == rows and all(_is_same(column, data) for column in found.itercolumns())
    return found if is_same else None


def _rows(data: bytes) -> int | None:
    """Return how many lines there are if an object ends at the end of each, else None.

    The parser does not care for lines; as many objects as lines are one on each.
    """
    if not (data.startswith(b"{") and data.endswith(OBJECT_ENDS)):
        return None
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == NEWLINE)
    last = text[ends - 1]
    last = np.where(last == RETURN, text[ends - 2], last)
    return len(ends) + data.endswith(b"}") if (last == BRACE).all() else None


def _parsed(data: bytes, kinds: Mapping[str, Any]) -> Any:
    options = pyarrow.json.ParseOptions(
        explicit_schema=pa.schema(list(kinds.items())), newlines_in_values=False, unexpected_field_behavior="error"
    )
    found = pyarrow.json.read_json(pa.BufferReader(data), pyarrow.json.ReadOptions(use_threads=False), options)
    # Text that is no UTF-8 is only found so.
    found.validate(full=True)
    return found


def _is_same(column: Any, data: bytes) -> bool:
    """Say whether numbers are surely the same: neither NaN, which is no JSON, nor integers that make a difference."""
    if not pa.types.is_floating(column.type):
        return True
    values = column.to_numpy()
    is_small = np.count_nonzero(np.abs(values) < MOST) == len(column) - column.null_count
    return is_small and not (np.signbit(values[values == 0]).any() and NEGATIVE_ZERO.search(data))
