"""What becomes of the predictions of blocks: each is encoded as a segment, and a file is assembled of segments."""

from __future__ import annotations

import io
import json
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from custom_model_runner.batch import heads
from custom_model_runner.data import columnar, compression, csv_text, ndjson, tables
from custom_model_runner.errors import ContractError, RunnerError
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM, NDJSON, PARQUET

# What a table of rejected rows has before their columns.
ROW, REASON = "reject_row", "reject_reason"
NUMBERS = struct.Struct("<5q")


@dataclass(frozen=True)
class Segment:
    """The encoded predictions of a block: how many rows, names and types of their columns (see `heads`), and the rows.

    Of the rows in the block some may have been rejected, which are in `rejects`, an Arrow stream; skipped ones are not
    among the rows of the segment. Where all were rejected it has no head, and its body is an Arrow stream of the
    columns that are carried along.
    """

    rows: int
    head: bytes
    body: bytes
    rejected: int = 0
    skipped: int = 0
    rejects: bytes = b""

    @property
    def read(self) -> int:
        """How many rows the block has."""
        return self.rows + self.skipped

    def to_bytes(self) -> bytes:
        """Return the segment as it is stored: its numbers, the lengths of two parts, and all three."""
        numbers = NUMBERS.pack(self.rows, self.rejected, self.skipped, len(self.head), len(self.rejects))
        return b"".join([numbers, self.head, self.rejects, self.body])

    @classmethod
    def from_bytes(cls, data: bytes) -> Segment:
        """Return the segment that was stored so."""
        rows, rejected, skipped, of_head, of_rejects = NUMBERS.unpack_from(data)
        end = NUMBERS.size + of_head
        head, rejects, body = data[NUMBERS.size : end], data[end : end + of_rejects], data[end + of_rejects :]
        return cls(rows, head, body, rejected, skipped, rejects)


def reason(failure: RunnerError) -> str:
    """Return why a row was rejected, as it stands in a segment, where it is not known how many rows are before."""
    return json.dumps(failure.args)


def told(reason: str, before: int) -> str:
    """Return such a reason as it is told of a row before which so many rows of the input stand."""
    return RunnerError(*json.loads(reason)).told(before)


def first_reason(rejects: bytes) -> str:
    """Return why the first row of an input was rejected, of which these are rejected rows."""
    return told(pa.ipc.open_stream(rejects).read_all().column(REASON)[0].as_py(), 0)


class AllRejected(ContractError):
    """No row has predictions, so that nobody knows their columns."""


# Makes the body of rows that were all rejected, under a head.
Empty = Callable[[bytes, Segment], bytes]
# Writes what segments, in order, make together; with their common head, if it is known before.
Assemble = Callable[[Iterator[Segment], BinaryIO, bytes], None]


@dataclass(frozen=True)
class Form:
    """How tables become segments, which may happen in any process and order, and segments a file.

    `join` returns the common head of two, and refuses those that do not go into one file.
    """

    encode: Callable[[pd.DataFrame], Segment]
    assemble: Assemble
    join: Callable[[bytes, bytes], bytes]


def form(media_type: str, encoding: str | None, *, is_kept: bool = True) -> Form:
    """Return the form of a media type of `STREAMED`, with the compression of a file name.

    Segments that are not kept until all are there are written as they come.
    """
    if media_type in TEXTS:
        return _text(TEXTS[media_type], encoding)
    join = heads.in_columns if is_kept else heads.as_written
    return Form(_arrow, partial(_assemble_columns, media_type=media_type, encoding=encoding), join)


def preview() -> Form:
    """Return the form of tables that are only looked at."""
    return Form(_arrow, partial(_assemble_columns, media_type=ARROW_STREAM, encoding=None), heads.in_text)


@dataclass(frozen=True)
class Text:
    """How rows are written as lines, whether their names stand before them, and how integers there become floats."""

    lines: Callable[[pd.DataFrame], bytes]
    has_header: bool
    with_floats: Callable[[bytes, Sequence[str], Sequence[int]], bytes]


TEXTS: dict[str, Text] = {
    tables.CSV: Text(csv_text.lines, True, lambda lines, _, places: csv_text.with_floats(lines, places)),
    NDJSON: Text(lambda rows: ndjson.write(rows, NDJSON), False, ndjson.with_floats),
}
STREAMED = frozenset({*TEXTS, ARROW_FILE, ARROW_STREAM, PARQUET})


def _text(text: Text, encoding: str | None) -> Form:
    """Return the form of rows of text, each segment compressed by itself: members of a file follow one another."""

    def packed(data: bytes) -> bytes:
        return compression.encoded(data, encoding) if encoding and data else data

    def encode(table: pd.DataFrame) -> Segment:
        return Segment(len(table), heads.of_text(table), packed(text.lines(table)))

    def empty(head: bytes, segment: Segment) -> bytes:
        table = pd.DataFrame(index=range(segment.rows), columns=list(heads.names(head)), dtype=object)
        for name, column in _carried(segment).to_pandas().items():
            table[name] = column
        return packed(text.lines(table))

    def body(segment: Segment, head: bytes) -> bytes:
        places = heads.to_float(segment.head, head)
        if not places:
            return segment.body
        return packed(text.with_floats(_unpacked(segment.body, encoding), heads.names(head), places))

    def assemble(found: Iterator[Segment], out: BinaryIO, head: bytes) -> None:
        for place, segment in enumerate(_alike(found, empty, head)):
            head = heads.in_text(head or segment.head, segment.head)
            header = packed(csv_text.header(heads.names(head))) if text.has_header and not place else b""
            out.write(header + body(segment, head))

    return Form(encode, assemble, heads.in_text)


def _unpacked(data: bytes, encoding: str | None) -> bytes:
    return compression.read_all(compression.decoded(io.BytesIO(data), (encoding,) if encoding else (), sys.maxsize))


def _carried(segment: Segment) -> Any:
    """Return the columns that are carried along where all rows were rejected."""
    return pa.ipc.open_stream(segment.body).read_all()


def _alike(found: Iterator[Segment], empty: Empty, head: bytes) -> Iterator[Segment]:
    """Yield segments with columns; those without rows, which do not know theirs, only if all are.

    Rows that were all rejected have the columns of the others, and `empty` makes a body of them.
    """
    without_rows, rejects = None, b""
    waiting: list[Segment] = []
    for segment in found:
        rejects = rejects or segment.rejects
        head = head or (segment.head if segment.rows else b"")
        if not segment.rows:
            without_rows = without_rows or segment
        elif not head:
            waiting.append(replace(segment, rejects=b""))
        else:
            for one in (*waiting, segment):
                yield one if one.head else Segment(one.rows, head, empty(head, one))
            waiting = []
    if not head:
        yield _of_none(without_rows, rejects)


def _of_none(without_rows: Segment | None, rejects: bytes) -> Segment:
    """Return what is written when no row has predictions, because there are none, or else not at all."""
    if rejects or without_rows is None:
        raise AllRejected(
            f"All rows were rejected, so that there is no output; the first because: {first_reason(rejects)}"
        )
    return without_rows


def _arrow(table: pd.DataFrame) -> Segment:
    # A block numbers categories by itself, and in a file they have one numbering.
    content = columnar.with_values(columnar.table("output", table))
    return Segment(len(table), heads.of_columns(content), columnar.stream(content))


def _nulls(head: bytes, segment: Segment) -> bytes:
    schema, carried = heads.schema(head), _carried(segment)
    names = carried.column_names
    columns = [carried[name] if name in names else pa.nulls(segment.rows, pa.null()) for name in schema.names]
    return columnar.stream(heads.cast(pa.Table.from_arrays(columns, names=schema.names), schema))


def with_columns(found: Iterator[Segment]) -> Iterator[Segment]:
    """Yield segments of a columnar form of which each has columns."""
    return _alike(found, _nulls, b"")


def _assemble_columns(
    found: Iterator[Segment], out: BinaryIO, head: bytes, media_type: str, encoding: str | None
) -> None:
    found = _alike(found, _nulls, head)
    first = next(found)
    schema = heads.schema(head or first.head)
    with _sink(out, encoding) as sink, _writer(sink, schema, media_type) as writer:
        for segment in chain([first], found):
            writer.write_table(heads.cast(pa.ipc.open_stream(segment.body).read_all(), schema))


def _sink(out: BinaryIO, encoding: str | None) -> Any:
    plain = pa.PythonFile(out, mode="w")
    return pa.CompressedOutputStream(plain, encoding) if encoding else plain


def _writer(sink: Any, schema: Any, media_type: str) -> Any:
    if media_type == PARQUET:
        return pq.ParquetWriter(sink, schema, version="2.6")
    return pa.ipc.new_file(sink, schema) if media_type == ARROW_FILE else pa.ipc.new_stream(sink, schema)
