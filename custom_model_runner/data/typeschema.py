"""`typeSchema`: what tables must be like, as the metadata requires it, and the first row and column that is not.

Text that is a category and text that is prose are one type, since only a guess could tell them apart. Numbers that are
all whole may stand where categories are expected. Durations, geometries and counts are not told from other values.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custom_model_runner import spelling
from custom_model_runner.data import column_kinds, images
from custom_model_runner.data.column_kinds import NUMERIC, ColumnKind
from custom_model_runner.errors import Pieces, listed

COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "NOT_GREATER_THAN": operator.le,
    "NOT_LESS_THAN": operator.ge,
}
CONDITIONS = ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN", *COMPARISONS)
TEXT_TYPES = frozenset({"CAT", "TXT"})
UNVERIFIED = frozenset({"DATE_DURATION", "COUNT_DICT", "GEO"})
DATA_TYPES = ("NUM", "TXT", "IMG", "DATE", "CAT", "DATE_DURATION", "COUNT_DICT", "GEO")
TYPE_OF = {
    **dict.fromkeys(NUMERIC, "NUM"),
    ColumnKind.TEXT: "CAT",
    ColumnKind.OTHER: "CAT",
    ColumnKind.DATE: "DATE",
}
KINDS_OF: Mapping[str, frozenset[ColumnKind]] = {
    "NUM": NUMERIC,
    "CAT": frozenset({ColumnKind.TEXT, ColumnKind.INTEGER}),
    "TXT": frozenset({ColumnKind.TEXT}),
    "DATE": frozenset({ColumnKind.DATE}),
}
# A year first or last, and perhaps a time: enough to say that text may be a date.
DATE_TEXT = r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?"
SHOWN = 3

Columns = list[tuple[str, "pd.Series[Any]"]]


@dataclass(frozen=True)
class Requirement:
    """One line of a schema: a property of tables, a condition and the values it is compared with."""

    field: str
    condition: str
    values: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.field} {self.condition} {', '.join(map(str, self.values))}"


@dataclass(frozen=True)
class _Place:
    """A column that breaks a requirement, what it holds, and the row, counted from 0, where that shows."""

    column: str
    row: int
    found: str

    @property
    def pieces(self) -> Pieces:
        """What tells of it."""
        return f"{self.found} in column {spelling.quoted(self.column)}, row ", self.row


def mismatches(table: pd.DataFrame, requirements: tuple[Requirement, ...]) -> list[Pieces]:
    """Return a line for each requirement that a table breaks: what was required, what was found, and where."""
    if not requirements:
        return []
    # Taking a column out of a table is most of the work for a few rows.
    columns = [(str(name), column) for name, column in table.items()]
    checked = ((requirement, CHECKS[requirement.field](columns, requirement)) for requirement in requirements)
    return [(f"{requirement} is required, found ", *found) for requirement, found in checked if found]


def _data_types(columns: Columns, requirement: Requirement) -> Pieces | None:
    wanted = frozenset(map(str, requirement.values))
    if not wanted - UNVERIFIED:
        return None
    is_forbidden = requirement.condition in ("NOT_EQUALS", "NOT_IN")
    search = _forbidden(columns, wanted) if is_forbidden else _not_allowed(columns, wanted)
    return _listed(search)


def _listed(search: Iterator[_Place]) -> Pieces | None:
    """Name the first places; looking for all of them may take long."""
    places = list(itertools.islice(search, SHOWN + 1))
    more = ("; and in more columns",) if len(places) > SHOWN else ()
    return (*listed(place.pieces for place in places[:SHOWN]), *more) if places else None


def _typed(columns: Columns) -> Iterator[tuple[str, pd.Series[Any], str]]:
    """Yield name, column and type of the columns that have one."""
    for name, column in columns:
        kind = TYPE_OF.get(column_kinds.kind_of(column))
        if kind is not None:
            yield name, column, "IMG" if kind == "CAT" and images.is_images(column) else kind


def _forbidden(columns: Columns, unwanted: frozenset[str]) -> Iterator[_Place]:
    for name, column, kind in _typed(columns):
        words = unwanted & (TEXT_TYPES if kind == "CAT" else {kind})
        row = column_kinds.first(~column_kinds.missing(column)) if words else None
        if row is not None:
            yield _Place(name, row, kind if kind in words else max(words))


def _not_allowed(columns: Columns, wanted: frozenset[str]) -> Iterator[_Place]:
    kinds = frozenset().union(*(KINDS_OF.get(word, ()) for word in wanted))
    for name, column, kind in _typed(columns):
        # A column of missing values could be of any type.
        if kind not in wanted and not _will_do(column, kind, wanted) and not column_kinds.missing(column).all():
            yield _Place(name, column_kinds.first_unlike(column, kinds), _words(kind, column))


def _will_do(column: pd.Series[Any], kind: str, wanted: frozenset[str]) -> bool:
    if kind == "NUM":
        return "CAT" in wanted and bool(column_kinds.is_whole(column).all())
    return kind == "CAT" and _is_allowed_text(column, wanted)


def _is_allowed_text(column: pd.Series[Any], wanted: frozenset[str]) -> bool:
    # Formats such as CSV have no dates of their own.
    return bool(wanted & (TEXT_TYPES | UNVERIFIED)) or ("DATE" in wanted and _are_dates(column))


def _are_dates(column: pd.Series[Any]) -> bool:
    return bool(column_kinds.texts(column).str.fullmatch(DATE_TEXT).all())


def _words(kind: str, column: pd.Series[Any]) -> str:
    return "TXT" if kind == "CAT" and _is_prose(column) else kind


def _is_prose(column: pd.Series[Any]) -> bool:
    """Say whether most rows hold several words, and few of them the same."""
    present = column_kinds.texts(column)
    different = present.nunique()
    has_spaces = present.str.contains(r"\s").sum() >= 0.75 * len(column)
    return bool(has_spaces and (different >= 0.05 * len(column) or different >= 60))


def _sparse(columns: Columns, requirement: Requirement) -> Pieces | None:
    unwanted = {"FORBIDDEN": "sparse", "NEVER": "sparse", "REQUIRED": "dense", "ALWAYS": "dense"}
    kind = unwanted.get(str(requirement.values[0]))
    found = (name for name, column in columns if isinstance(column.dtype, pd.SparseDtype) is (kind == "sparse"))
    name = next(found, None) if kind else None
    return None if name is None else (f"{kind} data in column {spelling.quoted(name)}",)


def _number_of_columns(columns: Columns, requirement: Requirement) -> Pieces | None:
    width = len(columns)
    if requirement.condition in COMPARISONS:
        holds = COMPARISONS[requirement.condition](width, int(requirement.values[0]))
    else:
        holds = (width in requirement.values) is (requirement.condition in ("EQUALS", "IN"))
    return None if holds else (f"{width} columns",)


def _contains_missing(columns: Columns, requirement: Requirement) -> Pieces | None:
    if requirement.values[0] not in ("FORBIDDEN", "NEVER"):
        return None
    found = ((name, column) for name, column in columns if column_kinds.has_missing(column))
    rows = ((name, column_kinds.first(column_kinds.missing(column))) for name, column in found)
    return _listed(_Place(name, row, "a missing value") for name, row in rows if row is not None)


CHECKS: Mapping[str, Callable[[Columns, Requirement], Pieces | None]] = {
    "data_types": _data_types,
    "sparse": _sparse,
    "number_of_columns": _number_of_columns,
    "contains_missing": _contains_missing,
}
