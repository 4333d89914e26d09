"""Rows of a failing block (`--on-error`): narrowed down, left out or empty in the output, and told in a file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_bool_dtype, is_integer_dtype

from custom_model_runner.batch import ahead, segments
from custom_model_runner.batch.rest import OfRows
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.data import compression, tables
from custom_model_runner.errors import BaseCustomUserError, ContractError, SchemaError, UsageError, UserCodeError
from custom_model_runner.plugins import ARROW_STREAM

STOP, SKIP, NULL = "stop", "skip", "null"
ROW, REASON = "reject_row", "reject_reason"
# Failures that other rows need not have.
OF_SOME = (UserCodeError, SchemaError, BaseCustomUserError)
# How often the parts of a failing block are tried; what still fails then is rejected together.
MOST_CALLS = 1000
ARROW = segments.form(ARROW_STREAM, None)
Predict = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Made:
    """What became of a block: a table of predictions, None if no row has any, and its rows that were rejected.

    `rows` is how many rows the output has of it, `skipped` how many it has not.
    """

    table: pd.DataFrame | None
    rows: int
    skipped: int = 0
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)

    def segment(self, form: Form) -> Segment:
        """Return it encoded; without predictions nothing but the number of rows is known."""
        known = Segment(self.rows, b"", b"") if self.table is None else form.encode(self.table)
        if not len(self.rejected):
            return known
        rejects = ARROW.encode(self.rejected).body
        return replace(known, rejected=len(self.rejected), skipped=self.skipped, rejects=rejects)


def narrowed(table: pd.DataFrame, predict: Predict, failure: OfRows, *, skips: bool) -> Made:
    """Return what becomes of a table that has failed as a whole; its parts are tried by halves, down to single rows.

    A failure that is none of some rows is raised.
    """
    _check(failure)
    good: list[tuple[range, pd.DataFrame]] = []
    bad: list[tuple[range, str]] = []
    failed = deque([(range(len(table)), str(failure))])
    calls = 0
    while failed:
        rows, reason = failed.popleft()
        if len(rows) == 1 or calls >= MOST_CALLS:
            bad.append((rows, reason))
            continue
        middle = len(rows) // 2
        for part in (rows[:middle], rows[middle:]):
            calls += 1
            try:
                good.append((part, predict(table[part.start : part.stop].reset_index(drop=True))))
            except OfRows as error:
                _check(error)
                failed.append((part, str(error)))
    return _made(table, sorted(good, key=_start), sorted(bad, key=_start), skips=skips)


def _check(failure: OfRows) -> None:
    if not isinstance(failure.__cause__, OF_SOME):
        raise failure


def _start(part: tuple[range, object]) -> int:
    return part[0].start


def _made(
    table: pd.DataFrame, good: list[tuple[range, pd.DataFrame]], bad: list[tuple[range, str]], *, skips: bool
) -> Made:
    reasons = pd.Series({row: reason for rows, reason in bad for row in rows}, dtype=object)
    rejected = table.loc[reasons.index].drop(columns=[ROW, REASON], errors="ignore")
    rejected.insert(0, ROW, reasons.index)
    rejected.insert(1, REASON, reasons)
    rows, skipped = (len(table) - len(rejected), len(rejected)) if skips else (len(table), 0)
    return Made(_joined(good, len(table), skips=skips), rows, skipped, rejected)


def _joined(good: list[tuple[range, pd.DataFrame]], rows: int, *, skips: bool) -> pd.DataFrame | None:
    """Return the predictions of parts as one table, with empty rows where there are none, unless these are skipped."""
    if not good:
        return None
    if any(list(part.columns) != list(good[0][1].columns) for _, part in good):
        raise ContractError("The predictions of some rows of a block have other columns than those of others")
    whole = pd.concat([part.set_axis(rows_of, axis=0) for rows_of, part in good])
    if skips:
        return whole.reset_index(drop=True)
    # Numbers and truth values stay what they are beside what is missing.
    exact = [place for place, kind in enumerate(whole.dtypes) if is_integer_dtype(kind) or is_bool_dtype(kind)]
    columns = [column.astype(object) if place in exact else column for place, (_, column) in enumerate(whole.items())]
    return pd.concat(columns, axis=1).reindex(range(rows))


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
        form.assemble(_encoded(found, form), file)

    with ahead.behind(write) as note:
        yield note


def _encoded(found: Iterator[Segment], form: Form) -> Iterator[Segment]:
    before, has_any = 0, False
    for segment in found:
        if segment.rejected:
            table = pa.ipc.open_stream(segment.rejects).read_pandas()
            table[ROW] += before + 1
            yield form.encode(table)
            has_any = True
        before += segment.read
    if not has_any:
        yield form.encode(pd.DataFrame(columns=[ROW, REASON]))
