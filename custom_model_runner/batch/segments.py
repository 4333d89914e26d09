"""What becomes of the predictions of blocks: each is encoded as a segment, and a file is assembled of segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

LENGTH = 8


@dataclass(frozen=True)
class Segment:
    """The encoded predictions of a block: how many rows, what must be the same in all segments, and the rows."""

    rows: int
    head: bytes
    body: bytes

    def to_bytes(self) -> bytes:
        """Return the segment as it is stored: rows and length of the head, each in 8 bytes, least first; both parts."""
        return b"".join([_number(self.rows), _number(len(self.head)), self.head, self.body])

    @classmethod
    def from_bytes(cls, data: bytes) -> Segment:
        """Return the segment that was stored so."""
        rows, length = (int.from_bytes(data[start : start + LENGTH], "little") for start in (0, LENGTH))
        end = 2 * LENGTH + length
        return cls(rows, data[2 * LENGTH : end], data[end:])


def _number(value: int) -> bytes:
    return value.to_bytes(LENGTH, "little")


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


def _csv(table: pd.DataFrame) -> tuple[bytes, bytes]:
    return csv_text.header([str(name) for name in table.columns]), csv_text.lines(table)


def _ndjson(table: pd.DataFrame) -> tuple[bytes, bytes]:
    return b"", ndjson.write(table, NDJSON)


TEXTS: dict[str, Callable[[pd.DataFrame], tuple[bytes, bytes]]] = {tables.CSV: _csv, NDJSON: _ndjson}
STREAMED = frozenset({*TEXTS, ARROW_FILE, ARROW_STREAM, PARQUET})


def _text(write: Callable[[pd.DataFrame], tuple[bytes, bytes]], encoding: str | None) -> Form:
    """Return the form of rows of text, each segment compressed by itself: members of a file follow one another."""

    def packed(data: bytes) -> bytes:
        return compression.encoded(data, encoding) if encoding and data else data

    def encode(table: pd.DataFrame) -> Segment:
        head, body = write(table)
        return Segment(len(table), head, packed(body))

    def assemble(found: Iterator[Segment], out: BinaryIO) -> None:
        for place, segment in enumerate(_alike(found)):
            out.write(segment.body if place else packed(segment.head) + segment.body)

    return Form(encode, assemble)


def _alike(found: Iterator[Segment]) -> Iterator[Segment]:
    """Yield segments that fit together; those without rows, which do not know their columns, only if all are."""
    first = next(found)
    while not first.rows and (other := next(found, None)) is not None:
        first = other
    yield first
    row = first.rows
    for segment in found:
        if segment.rows and segment.head != first.head:
            raise ContractError(
                f"The predictions from row {row + 1} on have other columns, or of other types, than those before; "
                "--whole-file hands all rows over at once"
            )
        row += segment.rows
        if segment.rows:
            yield segment


def _arrow(table: pd.DataFrame) -> Segment:
    content = columnar.table("output", table)
    return Segment(len(table), content.schema.serialize().to_pybytes(), columnar.stream(content))


def _assemble_columns(found: Iterator[Segment], out: BinaryIO, media_type: str, encoding: str | None) -> None:
    found = _alike(found)
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
