"""`inputSchema`: which columns a table has and what they hold, in the words of JSON Schema."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custom_model_runner import spelling
from custom_model_runner.data import column_kinds
from custom_model_runner.data.column_kinds import ColumnKind
from custom_model_runner.errors import Pieces

NULL = "null"
KINDS: Mapping[str, frozenset[ColumnKind]] = {
    # Dates and durations have no type of their own.
    "string": frozenset({ColumnKind.TEXT, ColumnKind.DATE, ColumnKind.DURATION}),
    "integer": frozenset({ColumnKind.INTEGER}),
    "number": frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER}),
    "boolean": frozenset({ColumnKind.BOOLEAN}),
    # Formats such as CSV hold them as text.
    "array": frozenset({ColumnKind.OTHER, ColumnKind.TEXT}),
    "object": frozenset({ColumnKind.OTHER, ColumnKind.TEXT}),
    NULL: frozenset({ColumnKind.EMPTY}),
}
TYPES = tuple(KINDS)
ZERO_FILLED = re.compile("0[0-9]+")
KEEP, DROP, REFUSE = "keep", "drop", "refuse"
SHOWN = 5


@dataclass(frozen=True)
class Property:
    """One column: what it may hold, whether values may be missing, and whether it has to be there.

    `words` say so in JSON types.
    """

    words: str
    kinds: frozenset[ColumnKind]
    allows_missing: bool
    is_required: bool


@dataclass(frozen=True)
class InputSchema:
    """The columns of a table by name, and what becomes of those that it does not name."""

    properties: Mapping[str, Property]
    extra: str = KEEP

    @property
    def text_columns(self) -> frozenset[str]:
        """The columns whose values are text, even where they look like numbers."""
        texts = KINDS["string"] | KINDS[NULL]
        return frozenset(name for name, one in self.properties.items() if one.kinds <= texts)


def mismatches(table: pd.DataFrame, schema: InputSchema) -> list[Pieces]:
    """Return a line for each column that is missing, or misspelt, or holds what it must not, or is not wanted."""
    found = {str(name): column for name, column in table.items()}
    missing = [name for name, one in schema.properties.items() if one.is_required and name not in found]
    extra = [name for name in found if name not in schema.properties]
    wrong = (
        line for name, one in schema.properties.items() if name in found and (line := _wrong(name, found[name], one))
    )
    others = _missing(missing, extra), _extra(missing, extra, schema.extra)
    before, behind = ([(line,) for line in lines] for lines in others)
    return [*before, *_some(wrong), *behind]


def select(table: pd.DataFrame, schema: InputSchema) -> pd.DataFrame:
    """Return the table to go on with: without further columns where the schema drops them."""
    if schema.extra != DROP:
        return table
    wanted = [str(name) in schema.properties for name in table.columns]
    return table if all(wanted) else table.loc[:, wanted]


def _some(lines: Iterator[Pieces]) -> list[Pieces]:
    """Return the first lines; looking for all of them may take long."""
    some = list(itertools.islice(lines, SHOWN + 1))
    return some if len(some) <= SHOWN else [*some[:SHOWN], ("and more columns like that",)]


def _missing(missing: list[str], extra: list[str]) -> list[str]:
    lines = []
    for name in missing[:SHOWN]:
        near = spelling.nearest(name, extra)
        meant = f" (found {spelling.quoted(near)}, did you mean {name!r}?)" if near else ""
        lines.append(f"column {name!r} is missing{meant}")
    return lines if len(missing) <= SHOWN else [*lines, f"{len(missing) - SHOWN} more columns are missing"]


def _extra(missing: list[str], extra: list[str], policy: str) -> list[str]:
    if policy != REFUSE or not extra:
        return []
    if missing:
        # The names in a file without a header line are data, and not shown.
        return [f"number of unknown columns: {len(extra)}"]
    more = f" and {len(extra) - SHOWN} more" if len(extra) > SHOWN else ""
    return [f"unknown columns: {', '.join(map(spelling.quoted, extra[:SHOWN]))}{more}"]


def _wrong(name: str, column: pd.Series[Any], wanted: Property) -> Pieces | None:
    """Return what is wrong with a column, and in which row; columns that are in order cost least."""
    kind = column_kinds.kind_of(column)
    if kind not in wanted.kinds and not _will_do(column, kind, wanted):
        row = column_kinds.first_unlike(column, wanted.kinds)
        return f"column {name!r} must be {wanted.words}, found {_found(column, kind, row)} in row ", row
    if not wanted.allows_missing and column_kinds.has_missing(column):
        gap = column_kinds.first(column_kinds.missing(column)) or 0
        return f"column {name!r} must be {wanted.words}, found a missing value in row ", gap
    return None


def _will_do(column: pd.Series[Any], kind: ColumnKind, wanted: Property) -> bool:
    """Say whether a column of another kind will do: whole numbers as floats, or nothing but missing values."""
    if kind is ColumnKind.NUMBER and ColumnKind.INTEGER in wanted.kinds:
        return bool(column_kinds.is_whole(column).all())
    return bool(column_kinds.missing(column).all())


def _found(column: pd.Series[Any], kind: ColumnKind, row: int) -> str:
    return str(column_kinds.kind_of_value(column.iloc[row]) if kind is ColumnKind.OTHER else kind)


def build(raw: Mapping[str, Any]) -> InputSchema:
    """Return the schema that a checked `inputSchema` of the metadata describes."""
    required = frozenset(raw.get("required", ()))
    properties = {name: _property(_types(one), name in required) for name, one in raw["properties"].items()}
    refuses = raw.get("additionalProperties") is False
    return InputSchema(properties, raw.get("extraColumns", REFUSE if refuses else KEEP))


def _property(types: frozenset[str] | None, is_required: bool) -> Property:
    """Return a column of some types, or of any; one that need not be there need not be complete."""
    kinds = frozenset(ColumnKind) if types is None else frozenset().union(*(KINDS[name] for name in types))
    words = "anything" if types is None else " or ".join(name for name in TYPES if name in types)
    return Property(words, kinds, types is None or NULL in types or not is_required, is_required)


def _types(one: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the types that a property names, or None where it allows any."""
    if "type" in one:
        return frozenset([one["type"]] if isinstance(one["type"], str) else one["type"])
    parts = [_types(part) for part in one.get("anyOf", ())]
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if parts and len(known) == len(parts) else None


def infer(table: pd.DataFrame) -> dict[str, Any]:
    """Return an `inputSchema` that a sample holds: every column, its types, and null where a value is missing."""
    properties = {str(name): _inferred(column) for name, column in table.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


def codes(table: pd.DataFrame) -> frozenset[str]:
    """Return the columns of a table of texts in which digits begin with a zero: numbers are not written so."""
    return frozenset(
        str(name)
        for name, column in table.items()
        if any(isinstance(value, str) and ZERO_FILLED.fullmatch(value) for value in column.unique())
    )


def _inferred(column: pd.Series[Any]) -> dict[str, Any]:
    kind = column_kinds.kind_of(column)
    has_missing = column_kinds.has_missing(column)
    is_told = kind not in (ColumnKind.EMPTY, ColumnKind.OTHER)
    if not is_told or (has_missing and column_kinds.missing(column).all()):
        return {"anyOf": [{"type": name} for name in TYPES]}
    word = {ColumnKind.INTEGER: "integer", ColumnKind.NUMBER: "number", ColumnKind.BOOLEAN: "boolean"}.get(
        kind, "string"
    )
    return {"anyOf": [{"type": word}, {"type": NULL}]} if has_missing else {"type": word}
