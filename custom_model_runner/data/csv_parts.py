"""Parts of a CSV text: read with the types of the whole, and what is wrong told by its place in the whole."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data import column_facts, csv_pieces, csv_shape
from custom_model_runner.data.column_facts import INTEGERS, WORDS, Holds, has_signed_zero
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError

# Truth values beside gaps; what pandas infers of a part becomes that.
OBJECT = "object"
FLOATS = column_facts.NUMBER | Holds.NEGATIVE | Holds.MISSING
# What a column of each type may hold in one of its parts.
ALLOWED = {
    "int64": Holds.WHOLE | Holds.NEGATIVE,
    "uint64": Holds.WHOLE | Holds.UNSIGNED,
    "float64": FLOATS,
    INTEGERS: FLOATS,
    "bool": Holds.TRUTH,
    OBJECT: Holds.TRUTH | Holds.MISSING,
}
# What pandas may infer of a part of a column of each type. Told the type, it reads truth values as numbers, 1.0 as 1.
INFERRED = {
    "int64": {"int64"},
    "uint64": {"int64", "uint64"},
    "float64": {"int64", "uint64", "float64"},
    "bool": {"bool"},
}
# What pandas takes fastest for a type, column by column.
REAL: Mapping[str, Any] = {"str": str, **{type_: np.dtype(type_) for type_ in ("int64", "uint64", "float64", "bool")}}


def types(payload: Payload) -> Mapping[Any, str] | None:
    """Return the types that pandas is told, by the name or the place of a column; None has it infer all."""
    # By place: that of a name would also be told of others that only differ from it in a number.
    told: dict[Any, str] = {
        place: "str" if name in payload.text_columns else "float64" if type_ == INTEGERS else type_
        for place, (name, type_) in enumerate((payload.types or {}).items())
        if type_ != OBJECT or name in payload.text_columns
    }
    # Without any type, None: even an empty dict has pandas make each column twice.
    return (told if payload.types is not None else dict.fromkeys(payload.text_columns, "str")) or None


def read(payload: Payload, *, skip_blank_lines: bool) -> pd.DataFrame:
    """Return the table of a text with the types that its columns have; those that are only expected are compared."""
    told = types(payload)
    if told is not None and payload.has_expected_types:
        return _as_expected(payload, told, skip_blank_lines=skip_blank_lines)
    return parse(payload.data, types=told, skip_blank_lines=skip_blank_lines)


def _as_expected(payload: Payload, told: Mapping[Any, str], *, skip_blank_lines: bool) -> pd.DataFrame:
    texts = {place: type_ for place, type_ in told.items() if type_ == "str"}
    table = parse(payload.data, types=texts or None, skip_blank_lines=skip_blank_lines)
    found = {place: str(type_) for place, type_ in enumerate(table.dtypes) if place in told and place not in texts}
    if {**texts, **found} == told:
        return table
    if any(type_ not in INFERRED[told[place]] for place, type_ in found.items()):
        check_types(payload)
    return parse(payload.data, types=told, skip_blank_lines=skip_blank_lines)


def parse(data: bytes, *, types: Mapping[Any, str] | None, skip_blank_lines: bool) -> pd.DataFrame:
    """Return the table of a text; types that are not told are inferred from whole columns."""
    if types is None and skip_blank_lines and (table := csv_pieces.read(data)) is not None:
        return table
    real = None if types is None else {name: REAL[type_] for name, type_ in types.items()}
    # By default pandas infers types by chunk, and long columns come out mixed.
    return pd.read_csv(io.BytesIO(data), skip_blank_lines=skip_blank_lines, low_memory=False, dtype=real)


def as_declared(table: pd.DataFrame, payload: Payload) -> pd.DataFrame:
    """Return the table of a part with truth values and integers beside gaps as in the whole.

    It may have no gap itself.
    """
    names = _of_type(OBJECT, table, payload)
    if any(facts & ~ALLOWED[OBJECT] for facts in column_facts.of_table(table[names]).values()):
        check_types(payload)
    table = table.astype(dict.fromkeys(names, object)) if names else table
    signed = [name for name in _of_type(INTEGERS, table, payload) if has_signed_zero(table[name].to_numpy())]
    return _without_signs(table, signed, payload) if signed else table


def _of_type(wanted: str, table: pd.DataFrame, payload: Payload) -> list[str]:
    names = [name for name, type_ in (payload.types or {}).items() if type_ == wanted and name in table.columns]
    return [name for name in names if name not in payload.text_columns]


def _without_signs(table: pd.DataFrame, names: list[str], payload: Payload) -> pd.DataFrame:
    """Return a table with columns that pandas infers, which has no sign of a zero that is written as an integer."""
    inferred = parse(payload.data, types=None, skip_blank_lines=table.shape[1] > 1)
    table = table.copy(deep=False)
    for name in names:
        table[name] = inferred[name].astype("float64")
    return table


def check_types(payload: Payload) -> None:
    """Refuse a part whose values are not of the types that were told, if that is what is wrong with it."""
    if payload.types is None:
        return
    try:
        # A wide row fails here as well.
        table = parse(
            payload.data, types=dict.fromkeys(range(len(payload.types)), "str"), skip_blank_lines=len(payload.types) > 1
        )
    except (pd.errors.ParserError, ValueError):
        return
    for name, type_ in payload.types.items():
        allowed = ALLOWED.get(type_)
        if allowed is not None and name not in payload.text_columns:
            _check_column(table[name], type_, allowed, payload)


def _check_column(column: pd.Series[Any], type_: str, allowed: Holds, payload: Payload) -> None:
    """Refuse the first value of a column that its type does not allow."""
    row = _first(list(column), allowed)
    if row is None:
        return
    wrong = column_facts.of_texts([column.iloc[row]]) & ~allowed
    what = f"column {str(column.name)!r} holds {WORDS[Holds(wrong & -wrong)]}, expected {type_}"
    raise column_facts.contradiction("CSV", csv_shape.line_of(payload, row), what)


def _first(texts: list[object], allowed: Holds) -> int | None:
    """Return the place of the first text that holds more than is allowed; halves are looked at in turn."""
    if not column_facts.of_texts(texts) & ~allowed:
        return None
    if len(texts) == 1:
        return 0
    middle = len(texts) // 2
    left = _first(texts[:middle], allowed)
    right = _first(texts[middle:], allowed) if left is None else None
    return left if right is None else middle + right


def check_widths(payload: Payload) -> None:
    """Refuse the first row of a part that is wider than the header, by its line in the whole."""
    if payload.first_line is None:
        return
    wide = csv_shape.wide_row(payload)
    if wide is not None:
        expected, line, found = wide
        raise InputError(f"The CSV input is broken: Expected {expected} fields in line {line}, saw {found}")
