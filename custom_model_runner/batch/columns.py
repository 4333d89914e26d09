"""Columnar files in blocks: the record batches of Parquet and Arrow, with as many rows in each as is asked for."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from custom_model_runner.batch.blocks import Block, Blocks, Limits, Place, Whole
from custom_model_runner.data import arrow, columnar, parquet
from custom_model_runner.data.payload import Payload
from custom_model_runner.plugins import ARROW_STREAM

CATEGORIES = Whole(reason="its columns of categories are numbered by all rows")
READ_BYTES = 1 << 17


# Yields a table without rows, and the record batches of a file behind so many rows, of at most so many each where that
# can be chosen.
Batches = Callable[[Path, int, int], Iterator[Any]]


@dataclass(frozen=True)
class Cutting:
    """How a columnar file is cut: its format, how many rows make a block, and how many may be read at once."""

    source: str
    format_name: str
    rows: int
    most: int

    @property
    def facts(self) -> dict[str, int]:
        """What the same is made of again, beside the file."""
        return {"rows": self.rows, "most": self.most}

    def read(self, place: Place) -> Iterator[Block]:
        """Yield the blocks of the file from a place on, one without rows if there are none at all."""
        if place.files:
            return
        with columnar.whole(self.format_name):
            batches = BATCHES[self.format_name](Path(self.source), place.offset, min(self.rows, self.most))
            for rows, data in columnar.resliced(batches, self.rows):
                if rows or not place.offset:
                    number = place.number
                    place = Place(number + 1, int(not rows), place.offset + rows)
                    yield Block(number, data, behind=place)


@dataclass(frozen=True)
class Columns:
    """A columnar file that was looked at: its name, that of its format, rows, bytes, how many rows to read at once."""

    source: str
    format_name: str
    rows: int
    size: int
    schema: Any
    most: int

    def blocks(self, types: dict[str, str], *, block_rows: int | None, limits: Limits) -> Blocks:
        """Return the file in blocks."""
        rows = block_rows or limits.block_rows(len(self.schema), self.size / max(self.rows, 1))
        cutting = Cutting(self.source, self.format_name, rows, self.most)
        columns = [(field.name, _type(field)) for field in self.schema]
        return Blocks(ARROW_STREAM, types, limits.table, self.rows, cutting.read, columns, cuts=(cutting.facts,))


def _type(field: Any) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"


def look_at_parquet(source: str, *, block_rows: int | None, limits: Limits) -> Blocks | Whole:
    """Return the blocks of a Parquet file; its metadata tells most, the rest is counted."""
    with Path(source).open("rb") as file, columnar.whole("Parquet"):
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Pages that were touched would count as memory of ours as long as the file is mapped.
        let_go = partial(data.madvise, mmap.MADV_DONTNEED)
        facts = parquet.look(Payload(cast("bytes", data), limit=limits.table), let_go)
        # Not where that has failed: the failure may hold parts of it.
        data.close()
        if facts.folded:
            return Whole(reason="texts repeat inside its lists")
        with pq.ParquetFile(file) as opened:
            schema, metadata = opened.schema_arrow, opened.metadata
            types = columnar.types(schema, lambda place: _has_gaps(opened, schema.field(place).name))
    if types is None:
        return CATEGORIES
    most = facts.rows_at_once(limits.table)
    found = Columns(source, "Parquet", metadata.num_rows, facts.size, schema, most)
    return found.blocks(types, block_rows=block_rows, limits=limits)


def _parquet_batches(path: Path, start: int, most: int) -> Iterator[Any]:
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES) as file:
        yield file.schema_arrow.empty_table()
        first = 0
        while first < file.num_row_groups and start >= (rows := file.metadata.row_group(first).num_rows):
            first, start = first + 1, start - rows
        groups = list(range(first, file.num_row_groups))
        yield from _behind(start, file.iter_batches(batch_size=most, row_groups=groups, use_threads=False))


def _behind(start: int, batches: Iterator[Any]) -> Iterator[Any]:
    """Yield the rows of record batches behind so many."""
    for batch in batches:
        yield batch.slice(start)
        start = max(start - len(batch), 0)


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
        for batch in _arrow_batches(Path(source), 0, 0):
            schema = batch.schema
            rows, size = rows + len(batch), size + batch.nbytes
            gaps |= {place for place, column in enumerate(batch.columns) if column.null_count}
    types = columnar.types(schema, gaps.__contains__)
    if types is None:
        return CATEGORIES
    found = Columns(source, "Arrow", rows, size, schema, rows)
    return found.blocks(types, block_rows=block_rows, limits=limits)


def _arrow_batches(path: Path, start: int, _most: int) -> Iterator[Any]:
    with path.open("rb") as file:
        arrow.skip_to_stream(file)
        stream = pa.ipc.open_stream(pa.PythonFile(file, "r"))
        yield stream.schema.empty_table()
        yield from _behind(start, map(_valid, stream))


def _valid(batch: Any) -> Any:
    """Return a batch of which offsets inside it are believed from here on."""
    batch.validate(full=True)
    return batch


BATCHES: dict[str, Batches] = {"Parquet": _parquet_batches, "Arrow": _arrow_batches}


def again(source: str, format_name: str, facts: Mapping[str, Any]) -> Cutting:
    """Return how a file is cut of which that is known."""
    return Cutting(source, format_name, facts["rows"], facts["most"])
