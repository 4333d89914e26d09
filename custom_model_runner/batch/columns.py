"""Columnar files in blocks: the record batches of Parquet and Arrow, with as many rows in each as is asked for."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from custom_model_runner.batch import sources
from custom_model_runner.batch.blocks import Block, Blocks, Limits, Whole
from custom_model_runner.data import arrow, columnar, parquet
from custom_model_runner.data.payload import Payload
from custom_model_runner.plugins import ARROW_STREAM

CATEGORIES = Whole(reason="its columns of categories are numbered by all rows")
READ_BYTES = 1 << 17


@dataclass(frozen=True)
class Columns:
    """A columnar file: its name, that of its format, its rows, and what yields its record batches."""

    source: str
    format_name: str
    rows: int
    size: int
    schema: Any
    batches: Callable[[Path, int], Iterator[Any]]

    def blocks(self, types: dict[str, str], *, block_rows: int | None, limits: Limits) -> Blocks:
        """Return the file in blocks."""
        rows = block_rows or max(limits.block * self.rows // max(self.size, 1), 1)
        return Blocks(ARROW_STREAM, types, limits.table, self.rows, lambda: self._read(rows), self.schema)

    def _read(self, rows: int) -> Iterator[Block]:
        path = Path(self.source)
        before = path.stat()
        number = -1
        with columnar.whole(self.format_name):
            for number, data in enumerate(columnar.resliced(self.batches(path, rows), rows)):
                yield Block(number, data)
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise sources.changed(self.source)
        if number < 0:
            yield Block(0, columnar.stream(self.schema.empty_table()))


def look_at_parquet(source: str, *, block_rows: int | None, limits: Limits) -> Blocks | Whole:
    """Return the blocks of a Parquet file; its metadata tells most, the rest is counted."""
    with Path(source).open("rb") as file, columnar.whole("Parquet"):
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # Pages that were touched would count as memory of ours as long as the file is mapped.
            let_go = partial(data.madvise, mmap.MADV_DONTNEED)
            facts = parquet.look(Payload(cast("bytes", data), limit=limits.table), let_go)
        if facts.folded:
            return Whole(reason="texts repeat inside its lists")
        with pq.ParquetFile(file) as opened:
            schema, metadata = opened.schema_arrow, opened.metadata
            types = columnar.types(schema, lambda place: _has_gaps(opened, schema.field(place).name))
    if types is None:
        return CATEGORIES
    most = facts.rows_at_once(limits.table)
    found = Columns(source, "Parquet", metadata.num_rows, facts.size, schema, _parquet_batches(most))
    return found.blocks(types, block_rows=block_rows, limits=limits)


def _parquet_batches(most_rows: int) -> Callable[[Path, int], Iterator[Any]]:
    def batches(path: Path, rows: int) -> Iterator[Any]:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES) as file:
            yield from file.iter_batches(batch_size=min(rows, most_rows), use_threads=False)

    return batches


def _has_gaps(file: Any, name: str) -> bool:
    """Say whether a column has missing values, by what its pages were noted to hold, else by counting."""
    notes = [_note(file.metadata.row_group(number), name) for number in range(file.metadata.num_row_groups)]
    if None not in notes:
        return any(notes)
    return any(batch.column(0).null_count for batch in file.iter_batches(columns=[name], use_threads=False))


def _note(group: Any, name: str) -> int | None:
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == name:
            notes = column.statistics
            return notes.null_count if notes is not None and notes.has_null_count else None
    return None


def look_at_arrow(source: str, *, block_rows: int | None, limits: Limits) -> Blocks | Whole:
    """Return the blocks of an Arrow file or stream; its batches are gone through once for their missing values."""
    rows = size = 0
    gaps: set[int] = set()
    with columnar.whole("Arrow"):
        schema = None
        for batch in _arrow_batches(Path(source), 0):
            schema = batch.schema
            rows, size = rows + len(batch), size + batch.nbytes
            gaps |= {place for place, column in enumerate(batch.columns) if column.null_count}
    if schema is None:
        return Whole()
    types = columnar.types(schema, gaps.__contains__)
    if types is None:
        return CATEGORIES
    found = Columns(source, "Arrow", rows, size, schema, _arrow_batches)
    return found.blocks(types, block_rows=block_rows, limits=limits)


def _arrow_batches(path: Path, _rows: int) -> Iterator[Any]:
    with path.open("rb") as file:
        arrow.skip_to_stream(file)
        for batch in pa.ipc.open_stream(pa.PythonFile(file, "r")):
            # Offsets inside it are believed from here on.
            batch.validate(full=True)
            yield batch
