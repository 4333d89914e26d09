"""What the columns of NDJSON hold, which types a table of all rows gives them, and tables of parts with these types."""

from __future__ import annotations

from collections import defaultdict
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
    counts: dict[str, int] = defaultdict(int)
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        for name, value in row.items():
            counts[name] += 1
            found[name] |= _of(value)
    return len(rows), {name: facts | (Holds.MISSING * (counts[name] < len(rows))) for name, facts in found.items()}


def _of(value: Any) -> int:
    if type(value) is int and not LEAST <= value <= MOST:
        return Holds.UNSIGNED
    return KINDS.get(type(value), OTHER)


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
