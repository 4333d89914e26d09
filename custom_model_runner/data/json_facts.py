"""What the columns of NDJSON hold, which types a table of all rows gives them, and tables of parts with these types."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import pyarrow as pa

from custom_model_runner.data import ndjson, ndjson_columns
from custom_model_runner.data.column_facts import LEAST, MOST, Facts, Holds
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.records import KINDS

# Lists and objects; pandas leaves them as they are, beside whatever else.
OTHER = Holds.TEXT | Holds.TRUTH
# What columns that hold this, beside gaps, are read as to be sure.
PLAIN: Mapping[int, Any] = {
    0: pa.null(),
    Holds.TRUTH: pa.bool_(),
    Holds.WHOLE: pa.int64(),
    Holds.FRACTION: pa.float64(),
    Holds.WHOLE | Holds.FRACTION: pa.float64(),
    Holds.TEXT: pa.string(),
}


def of(payload: Payload) -> tuple[int, Facts]:
    """Return how many rows there are and what each column holds; a broken text is an input error."""
    rows = ndjson.rows(payload)
    names = dict.fromkeys(chain.from_iterable(rows))
    return len(rows), {name: _of([row.get(name) for row in rows]) for name in names}


def _of(values: list[Any]) -> int:
    """Return what a column holds; all but the look at large integers is as fast as C."""
    kinds = set(map(type, values))
    whole = [value for value in values if type(value) is int] if len(kinds) > 1 and int in kinds else values
    is_large = int in kinds and (min(whole) < LEAST or max(whole) > MOST)
    found = Holds.UNSIGNED if is_large else Holds(0)
    for kind in kinds:
        found |= KINDS.get(kind, OTHER)
    return found


def as_expected(payload: Payload, expected: Facts) -> tuple[int, Facts] | None:
    """Return what `of` does, as far as types depend on it, if columns hold what is expected, or gaps, else None."""
    kinds = {name: PLAIN.get(facts & ~Holds.MISSING) for name, facts in expected.items()}
    if None in kinds.values():
        return None
    ndjson.check_size(payload)
    table = ndjson_columns.table(payload.data, kinds)
    if table is None:
        return None
    gaps = {name: Holds.MISSING if table.column(name).null_count else 0 for name in expected}
    return table.num_rows, {name: facts | gaps[name] for name, facts in expected.items()}


def type_of(facts: int) -> str | None:
    """Return the type of a column that holds this; integers beyond 63 bits take more than that to tell."""
    if facts & Holds.UNSIGNED:
        return None
    if facts == Holds.WHOLE:
        return "int64"
    if not facts & ~(Holds.WHOLE | Holds.FRACTION | Holds.MISSING):
        return "float64"
    if facts == Holds.TRUTH:
        return "bool"
    return "str" if facts & ~Holds.MISSING == Holds.TEXT else "object"
