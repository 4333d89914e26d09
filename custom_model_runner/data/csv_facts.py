"""What the columns of CSV text hold: told fast where it is as expected, by pandas where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]

from custom_model_runner.data import column_facts, csv_text
from custom_model_runner.data.column_facts import Facts, Holds
from custom_model_runner.data.csv_shape import QUOTE
from custom_model_runner.data.payload import Payload

TRUE, FALSE = ["True", "TRUE", "true"], ["False", "FALSE", "false"]
# pyarrow takes these for integers, pandas for text.
HEXADECIMAL = (b"0x", b"0X")


def of(payload: Payload) -> tuple[int, Facts]:
    """Return how many rows there are and what each column holds; a broken text is an input error."""
    table = csv_text.read(payload)
    return len(table), column_facts.of_table(table)


def as_expected(payload: Payload, expected: Facts, header: int) -> tuple[int, Facts] | None:
    """Return what `of` does of a text that holds about what is expected, else None; its header has so many bytes."""
    # Blank lines are rows where there is one column, and the two readers take odd quotes for different things.
    if len(expected) == 1 or payload.data.find(QUOTE, header) >= 0:
        return None
    kinds = {str(place): kind for place, facts in enumerate(expected.values()) if (kind := _kind(facts)) is not None}
    if any(map(pa.types.is_integer, kinds.values())) and any(word in payload.data for word in HEXADECIMAL):
        return None
    try:
        table = _read(pa.py_buffer(payload.data).slice(header), [str(place) for place in range(len(expected))], kinds)
    except pa.ArrowInvalid:
        return None
    facts = dict(expected)
    for place, name in enumerate(expected):
        if str(place) in kinds:
            found = _found(table.column(str(place)), expected[name])
            if found is None:
                return None
            facts[name] = found
    return table.num_rows, facts


def _kind(facts: int) -> Any:
    """Return what values are read as to be sure, None where that is settled already."""
    if facts & (Holds.TEXT | Holds.HUGE):
        return None
    if facts & Holds.TRUTH:
        return None if facts & column_facts.NUMBER else pa.bool_()
    if facts & Holds.UNSIGNED:
        return pa.uint64()
    if facts & Holds.FRACTION:
        return pa.float64()
    return pa.int64() if facts & Holds.WHOLE else pa.null()


def _read(rows: Any, names: Sequence[str], kinds: dict[str, Any]) -> Any:
    convert = pyarrow.csv.ConvertOptions(
        column_types=kinds,
        # One at least: without any, all are read.
        include_columns=list(kinds) or names[:1],
        null_values=sorted(STR_NA_VALUES),
        true_values=TRUE,
        false_values=FALSE,
    )
    options = pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=rows.size + 1)
    return pyarrow.csv.read_csv(pa.BufferReader(rows), options, convert_options=convert)


def _found(column: Any, expected: int) -> int | None:
    """Return what a column holds; floats such as `NAN` and ` inf` are text to pandas."""
    if pa.types.is_floating(column.type) and pc.all(pc.is_finite(column)).as_py() is False:
        return None
    is_negative = pa.types.is_integer(column.type) and (pc.min(column).as_py() or 0) < 0
    return expected | (Holds.MISSING if column.null_count else 0) | (Holds.NEGATIVE if is_negative else 0)
