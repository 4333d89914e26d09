"""What becomes of the predictions of blocks: each is encoded as a segment, and a file is assembled of segments."""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from custom_model_runner.data import columnar, compression, csv_text, ndjson, tables
from custom_model_runner.errors import ContractError
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM, NDJSON, PARQUET

NUMBERS = struct.Struct("<5q")


@dataclass(frozen=True)
class Segment:
    """The encoded predictions of a block: how many rows, what must be the same in all segments, and the rows.

    Of the rows in the block some may have been rejected, which are in `rejects`, an Arrow stream; skipped ones are not
    among the rows of the segment. It has no head where all were rejected.
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


class AllRejected(ContractError):
    """No row has predictions, so that nobody knows their columns."""


# Writes what segments, in order, make together.
Assemble = Callable[[Iterator[Segment], BinaryIO], None]


@dataclass(frozen=True)
class Form:
    """How tables become segments, which may happen in any process and order, and segments a file."""

    encode: Callable[[pd.DataFrame], Segment]
    assemble: Assemble


def form(media_type: str, encoding: str | None) -> Form:
    """Return the form of a media type of `STREAMED`, with the compression of a file name."""
    if media_type in TEXTS:
        return _text(TEXTS[media_type], encoding)
    return Form(_arrow, lambda found, out: _assemble_columns(found, out, media_type, encoding))


@dataclass(frozen=True)
class Text:
    """How rows are written as lines, which names of columns a head tells, and whether it is written before them."""

    head: Callable[[Sequence[str]], bytes]
    names: Callable[[bytes], Sequence[str]]
    lines: Callable[[pd.DataFrame], bytes]
    has_header: bool


TEXTS: dict[str, Text] = {
    tables.CSV: Text(csv_text.header, lambda head: next(csv.reader(io.StringIO(head.decode()))), csv_text.lines, True),
    NDJSON: Text(lambda names: json.dumps(names).encode(), json.loads, lambda rows: ndjson.write(rows, NDJSON), False),
}
STREAMED = frozenset({*TEXTS, ARROW_FILE, ARROW_STREAM, PARQUET})


def _text(text: Text, encoding: str | None) -> Form:
    """Return the form of rows of text, each segment compressed by itself: members of a file follow one another."""

    def packed(data: bytes) -> bytes:
        return compression.encoded(data, encoding) if encoding and data else data

    def encode(table: pd.DataFrame) -> Segment:
        return Segment(len(table), text.head([str(name) for name in table.columns]), packed(text.lines(table)))

    def empty(head: bytes, rows: int) -> bytes:
        return packed(text.lines(pd.DataFrame(index=range(rows), columns=list(text.names(head)), dtype=object)))

    def assemble(found: Iterator[Segment], out: BinaryIO) -> None:
        for place, segment in enumerate(_alike(found, empty)):
            header = b"" if place or not text.has_header else packed(segment.head)
            out.write(header + segment.body)

    return Form(encode, assemble)


def _alike(found: Iterator[Segment], empty: Callable[[bytes, int], bytes]) -> Iterator[Segment]:
    """Yield segments that fit together; those without rows, which do not know their columns, only if all are.

    Rows that were all rejected have the columns of the others, and `empty` makes a body of them.
    """
    head, waiting, row = None, 0, 0
    without_rows = None
    for segment in found:
        if not segment.rows:
            without_rows = without_rows or segment
        elif not segment.head and head is None:
            waiting += segment.rows
        elif not segment.head:
            yield _empty(head or b"", segment.rows, empty)
        else:
            if head is None and waiting:
                yield _empty(segment.head, waiting, empty)
            head = _checked(head, segment, row)
            yield segment
        row += segment.read
    if head is None:
        yield _of_none(without_rows, waiting)


def _empty(head: bytes, rows: int, empty: Callable[[bytes, int], bytes]) -> Segment:
    return Segment(rows, head, empty(head, rows))


def _checked(head: bytes | None, segment: Segment, row: int) -> bytes:
    if head is not None and segment.head != head:
        raise ContractError(
            f"The predictions from row {row + 1} on have other columns, or of other types, than those before; "
            "--whole-file hands all rows over at once"
        )
    return segment.head


def _of_none(without_rows: Segment | None, waiting: int) -> Segment:
    """Return what is written when no row has predictions, because there are none, or else not at all."""
    if waiting or without_rows is None or without_rows.rejected:
        raise AllRejected("All rows were rejected, so that there is no output; the file of --rejects tells why")
    return without_rows


def _arrow(table: pd.DataFrame) -> Segment:
    content = columnar.table("output", table)
    return Segment(len(table), content.schema.serialize().to_pybytes(), columnar.stream(content))


def _nulls(head: bytes, rows: int) -> bytes:
    schema = pa.ipc.read_schema(pa.py_buffer(head))
    return columnar.stream(pa.Table.from_arrays([pa.nulls(rows, field.type) for field in schema], schema=schema))


def _assemble_columns(found: Iterator[Segment], out: BinaryIO, media_type: str, encoding: str | None) -> None:
    found = _alike(found, _nulls)
    first = next(found)
    schema = pa.ipc.read_schema(pa.py_buffer(first.head))
    with _sink(out, encoding) as sink, _writer(sink, schema, media_type) as writer:
        for segment in chain([first], found):
            writer.write_table(pa.ipc.open_stream(segment.body).read_all())


def _sink(out: BinaryIO, encoding: str | None) -> Any:
    plain = pa.PythonFile(out, mode="w")
    return pa.CompressedOutputStream(plain, encoding) if encoding else plain


def _writer(sink: Any, schema: Any, media_type: str) -> Any:
    if media_type == PARQUET:
        return pq.ParquetWriter(sink, schema, version="2.6")
    return pa.ipc.new_file(sink, schema) if media_type == ARROW_FILE else pa.ipc.new_stream(sink, schema)
