"""What the columns of NDJSON hold, which types a table of all rows gives them, and tables of parts with these types."""

from __future__ import annotations

from itertools import chain
from typing import Any

from custom_model_runner.data import ndjson
from custom_model_runner.data.column_facts import LEAST, MOST, Facts, Holds
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.records import KINDS

# Lists and objects; pandas leaves them as they are, beside whatever else.
OTHER = Holds.TEXT | Holds.TRUTH


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
