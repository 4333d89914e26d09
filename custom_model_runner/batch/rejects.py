"""Rows of a failing block (`--on-error`): narrowed down, left out or empty in the output, and told in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_bool_dtype, is_integer_dtype

from custom_model_runner.batch import ahead, segments
from custom_model_runner.batch.rest import OfRows
from custom_model_runner.batch.segments import REASON, ROW, Form, Segment
from custom_model_runner.data import compression, tables
from custom_model_runner.errors import (
    BaseCustomUserError,
    ContractError,
    SchemaError,
    UnusableValues,
    UsageError,
    UserCodeError,
)
from custom_model_runner.plugins import ARROW_STREAM

STOP, SKIP, NULL = "stop", "skip", "null"
# Failures that other rows need not have.
OF_SOME = (UserCodeError, SchemaError, UnusableValues, BaseCustomUserError)
# As many calls as with halves where one row is bad, and fewer where many are.
PARTS = 4
# A table takes some kilobytes more than what it holds.
MOST_PARTS = 1000
ARROW = segments.form(ARROW_STREAM, None)
Predict = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Made:
    """What became of a block: a table of predictions, None if no row has any, and its rows that were rejected.

    `rows` is how many rows the output has of it, `skipped` how many it has not; `keys` are the columns carried along of
    rows that are there without a table.
    """

    table: pd.DataFrame | None
    rows: int
    skipped: int = 0
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)
    keys: pd.DataFrame = field(default_factory=pd.DataFrame)

    def segment(self, form: Form) -> Segment:
        """Return it encoded; without predictions nothing but the number of rows and their keys is known."""
        known = Segment(self.rows, b"", ARROW.encode(self.keys).body) if self.table is None else form.encode(self.table)
        if not len(self.rejected):
            return known
        rejects = ARROW.encode(self.rejected).body
        return replace(known, rejected=len(self.rejected), skipped=self.skipped, rejects=rejects)


def narrowed(table: pd.DataFrame, predict: Predict, failure: OfRows, *, keys: Sequence[str] | None) -> Made:
    """Return what becomes of a table that has failed as a whole; its parts are tried, down to single rows.

    Those that fail alone stay, with no more than these columns, or are skipped if None is given. A failure that is none
    of some rows is raised.
    """
    good: list[pd.DataFrame] = []
    bad: dict[int, str] = {}
    for rows, made in _tried(range(len(table)), failure, lambda rows: predict(_taken(table, rows))):
        if isinstance(made, OfRows):
            bad[rows.start] = segments.reason(made)
            continue
        good.append(made.set_axis(rows, axis=0))
        if len(good) == MOST_PARTS:
            good = [_together(good)]
    return _made(table, good, bad, keys=keys)


def _tried(
    rows: range, failure: OfRows, predict: Callable[[range], pd.DataFrame]
) -> Iterator[tuple[range, pd.DataFrame | OfRows]]:
    """Yield, in order, the predictions of the parts of failing rows, or the failure of a single one."""
    if not isinstance(failure.__cause__, OF_SOME):
        failure.before = rows.start
        raise failure
    if len(rows) == 1:
        yield rows, failure
        return
    for part in _parts(rows):
        try:
            made = predict(part)
        except OfRows as error:
            yield from _tried(part, error, predict)
        else:
            yield part, made


def _parts(rows: range) -> Iterator[range]:
    # Powers, so that no part is cut into few and many calls are for single rows.
    step = 1
    while step * PARTS < len(rows):
        step *= PARTS
    return (rows[start : start + step] for start in range(0, len(rows), step))


def _taken(table: pd.DataFrame, rows: range) -> pd.DataFrame:
    return table[rows.start : rows.stop].reset_index(drop=True)


def _made(table: pd.DataFrame, good: list[pd.DataFrame], bad: dict[int, str], *, keys: Sequence[str] | None) -> Made:
    reasons = pd.Series(bad, dtype=object)
    rejected = table.loc[reasons.index].drop(columns=[ROW, REASON], errors="ignore")
    rejected.insert(0, ROW, reasons.index)
    rejected.insert(1, REASON, reasons)
    whole = _together(good) if good else None
    if keys is None:
        left = None if whole is None else whole.reset_index(drop=True)
        return Made(left, len(table) - len(rejected), len(rejected), rejected)
    carried = table[list(keys)].reset_index(drop=True)
    return Made(None if whole is None else _with_gaps(whole, carried), len(table), 0, rejected, carried)


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if any(list(part.columns) != list(parts[0].columns) for part in parts):
        raise ContractError("The predictions of some rows of a block have other columns than those of others")
    return pd.concat(parts)


def _with_gaps(whole: pd.DataFrame, carried: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with rows where there are none, empty but for what is carried along.

    Numbers and truth values stay what they are.
    """
    filled = pd.concat([_with_room_for_gaps(column) for _, column in whole.items()], axis=1).reindex(carried.index)
    for name, column in carried.items():
        filled[name] = column
    return filled


def _with_room_for_gaps(column: pd.Series[Any]) -> pd.Series[Any]:
    is_exact = is_integer_dtype(column.dtype) or is_bool_dtype(column.dtype)
    return column.convert_dtypes() if is_exact else column


def form_of(path: Path) -> Form:
    """Return how rejected rows are written to a file, which its name tells; it must be lines of text."""
    name, encoding = compression.split(path.name)
    media_type = tables.media_type_of(name)
    if media_type not in segments.TEXTS:
        raise UsageError(f"--rejects: rows are not written as {media_type}, expected a name in .csv or .ndjson")
    return segments.form(media_type, encoding)


@contextmanager
def writing(file: BinaryIO, form: Form) -> Iterator[Callable[[Segment], None]]:
    """Give what is told of all segments in order, and writes their rejected rows, numbered from 1."""

    def write(found: Iterator[Segment]) -> None:
        form.assemble(_encoded(found, form), file, b"")

    with ahead.behind(write) as note:
        yield note


def _encoded(found: Iterator[Segment], form: Form) -> Iterator[Segment]:
    before, has_any = 0, False
    for segment in found:
        if segment.rejected:
            table = pa.ipc.open_stream(segment.rejects).read_pandas()
            table[ROW] += before
            table[REASON] = [segments.told(reason, row) for reason, row in zip(table[REASON], table[ROW], strict=True)]
            table[ROW] += 1
            yield form.encode(table)
            has_any = True
        before += segment.read
    if not has_any:
        yield form.encode(pd.DataFrame(columns=[ROW, REASON]))
