"""Rows of text in blocks: CSV and NDJSON, cut without parsing, after a look that tells the types of their columns."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from custom_model_runner.batch import ahead, rows, sources
from custom_model_runner.batch.blocks import BEGINNING, Block, Blocks, Limits, Place, Whole
from custom_model_runner.batch.rows import Cut
from custom_model_runner.data import column_facts, csv_facts, csv_shape, json_facts, signatures, tables
from custom_model_runner.data.column_facts import Facts
from custom_model_runner.data.compression import Readable
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError
from custom_model_runner.plugins import NDJSON

# A pipe is typed by this much of its beginning.
SAMPLE_BYTES = 64 << 20
# The header must be in it, and it tells how long rows are.
HEAD_BYTES = 1 << 20
LARGE = "the type of a column with integers beyond 63 bits takes all rows to tell"
NO_HEADER = "its header is not in its first line, or very long, or lines end with bare carriage returns"
LINE_END = re.compile(rb"[\r\n]")
LOOKERS = 2


@dataclass(frozen=True)
class Text:
    """A kind of rows: whether a header and quotes belong to it, and how its columns are looked at.

    `mark` comes about once a column in the first line. `as_expected` is told how long the header is; it is a short way
    to the same, or None where it does not lead there. `joined` says what columns hold that hold one thing and then
    another.
    """

    media_type: str
    has_header: bool
    mark: bytes
    facts: Callable[[Payload], tuple[int, Facts]]
    as_expected: Callable[[Payload, Facts, int], tuple[int, Facts] | None]
    joined: Callable[[Facts, Facts], Facts]
    type_of: Callable[[int], str | None]


KINDS = {
    tables.CSV: Text(
        tables.CSV, True, b",", csv_facts.of, csv_facts.as_expected, column_facts.following, column_facts.type_of
    ),
    NDJSON: Text(
        NDJSON,
        False,
        b'":',
        json_facts.of,
        lambda payload, expected, _: json_facts.as_expected(payload, expected),
        column_facts.merged,
        json_facts.type_of,
    ),
}


@dataclass(frozen=True)
class Cutting:
    """How an input is cut: its header, the line behind that, and how many rows make a block.

    `ample_rows` is how many rows make a block of the usual size.
    """

    kind: Text
    source: str
    limits: Limits
    head: bytes
    first_line: int
    rows: int
    ample_rows: int

    @property
    def facts(self) -> dict[str, int]:
        """What `again` makes the same of, beside the file."""
        return {"head": len(self.head), "first_line": self.first_line, "rows": self.rows}

    def cuts(self, stream: Readable, first_line: int, *, has_end: bool) -> Iterator[Cut]:
        """Yield the blocks of a stream that begins with a row."""
        has_quotes = self.kind.has_header
        return rows.cut(
            stream, rows=self.rows, has_quotes=has_quotes, head=self.head, first_line=first_line, has_end=has_end
        )

    def read(self, place: Place = BEGINNING) -> Iterator[Block]:
        """Yield the blocks of a file from a place on."""
        if place.files:
            return
        with sources.opened(self.source, self.limits.decoded, start=len(self.head) + place.offset) as stream:
            yield from self.numbered(stream, place)

    def numbered(self, stream: Readable, place: Place = BEGINNING, *, has_end: bool = True) -> Iterator[Block]:
        """Yield the blocks of a stream that begins with the row at a place, one without rows if there are none.

        Where the stream has been cut off, its last row may have been too, and is left out.
        """
        behind = place
        for cut in self.cuts(stream, place.line or self.first_line, has_end=has_end):
            number, offset = behind.number, behind.offset + len(cut.data) - len(self.head)
            behind = Place(number + 1, 0, offset, cut.next_line)
            yield Block(number, cut.data, cut.first_line, behind=behind)
        if not behind.offset:
            yield Block(place.number, self.head, self.first_line, behind=Place(place.number + 1, files=1))


def look(cutting: Cutting) -> Blocks | Whole:
    """Return the blocks of a file; a look at all of it tells the types of its columns."""
    ample = replace(cutting, rows=cutting.ample_rows)
    return _typed(cutting, ample.read(), cutting.read, is_all=True)


def expected(cutting: Cutting) -> Blocks | None:
    """Return the blocks of a file whose first and last rows tell the types of its columns, None where they may not."""
    kind, payload = cutting.kind, _untyped(cutting).payload
    end = sources.end(cutting.source, cutting.limits.block)
    if end is None:
        return None
    first = next(replace(cutting, rows=cutting.ample_rows).read())
    try:
        facts = kind.facts(payload(first))[1]
        # As far as line ends tell rows.
        count, last = kind.facts(payload(Block(0, cutting.head + end[end.find(b"\n") + 1 :])))
    except InputError:
        return None
    types = types_of(kind, kind.joined(facts, last) if count else facts)
    if not types or types != types_of(kind, facts) or not all(map(column_facts.is_settled, facts.values())):
        return None
    return replace(
        _untyped(cutting), types=types, columns=_columns(kind, facts), cuts=(cutting.facts,), is_expected=True
    )


def _columns(kind: Text, facts: Facts) -> tuple[tuple[str, str], ...] | None:
    """Return what other files must have, too; records may lack any column."""
    return tuple((name, "text") for name in facts) if kind.has_header else None


def _untyped(cutting: Cutting) -> Blocks:
    return Blocks(cutting.kind.media_type, None, cutting.limits.table, None, cutting.read)


def again(source: str, media_type: str, facts: Mapping[str, Any], limits: Limits) -> Cutting:
    """Return how a file is cut of which that is known."""
    with sources.opened(source, limits.decoded) as stream:
        head = sources.take(stream, facts["head"])
    return Cutting(KINDS[media_type], source, limits, head, facts["first_line"], facts["rows"], facts["rows"])


def look_at_pipe(cutting: Cutting, sample: bytes, rest: Readable, *, has_ended: bool) -> Blocks | Whole:
    """Return the blocks of a pipe, which can be read once; what has come of it tells the types of its columns."""
    start, ample = len(cutting.head), replace(cutting, rows=cutting.ample_rows)
    looked_at = ample.numbered(sources.Prefixed(sample, io.BytesIO(), start=start), has_end=has_ended)
    read = partial(cutting.numbered, sources.Prefixed(sample, rest, start=start))
    return _typed(cutting, looked_at, read, is_all=False)


def _typed(
    cutting: Cutting, looked_at: Iterable[Block], read: Callable[[Place], Iterator[Block]], *, is_all: bool
) -> Blocks | Whole:
    blocks = replace(_untyped(cutting), read=read)
    count, facts = _facts(cutting, map(blocks.payload, looked_at))
    types = types_of(cutting.kind, facts)
    if types is None:
        return Whole(reason=LARGE)
    columns = _columns(cutting.kind, facts)
    rows = count if is_all else None
    cuts = (cutting.facts,)
    return replace(blocks, types=types, rows=rows, columns=columns, facts=facts, cuts=cuts, is_expected=not is_all)


def types_of(kind: Text, facts: Facts) -> dict[str, str] | None:
    """Return the types of columns that hold this, None where they cannot be told."""
    types = {name: kind.type_of(held) for name, held in facts.items()}
    known = {name: type_ for name, type_ in types.items() if type_ is not None}
    return known if len(known) == len(types) else None


def _facts(cutting: Cutting, payloads: Iterator[Payload]) -> tuple[int, Facts]:
    """Return the rows of some blocks and what their columns hold, the latter expected to be about the same in all."""
    kind = cutting.kind
    first = next(payloads)
    with signatures.noticed(first.data, kind.media_type):
        total, known = kind.facts(first)

    def facts(payload: Payload) -> tuple[int, Facts]:
        return kind.as_expected(payload, known, len(cutting.head)) or kind.facts(payload)

    for count, found in ahead.mapped(facts, payloads, threads=LOOKERS):
        # Where there are no rows, no column is missing.
        if count:
            total, known = total + count, kind.joined(known, found) if total else found
    return total, known


def cutting(first: bytes, media_type: str, source: str, *, block_rows: int | None, limits: Limits) -> Cutting | None:
    """Return how an input that begins so is cut, None where its header is not what is cut off first."""
    kind, first = KINDS[media_type], first[:HEAD_BYTES]
    header = _header(first) if kind.has_header else b""
    is_cut_off = len(header) == len(first) == HEAD_BYTES
    if kind.has_header and (is_cut_off or not header.removeprefix(codecs.BOM_UTF8).strip()):
        return None
    # What pandas makes of a bare carriage return depends on what stands around it.
    if b"\r" in (header.removesuffix(b"\n").removesuffix(b"\r") if b"\n" in first else first):
        return None
    lines = max(first.count(b"\n"), 1)
    ample = limits.block_rows(first.partition(b"\n")[0].count(kind.mark), len(first) / lines)
    line = 1 + max(csv_shape.line_ends(header), kind.has_header)
    return Cutting(kind, source, limits, header, line, block_rows or ample, ample)


def uncut(first: bytes, rest: Readable) -> tuple[bytes, str | None]:
    """Return the beginning of a text that is not cut, with all of its first line, and why it is not.

    A first line that is longer than a row may be is too large.
    """
    if not LINE_END.search(first):
        first += sources.take(rest, rows.MOST_BLOCK_BYTES + 1 - len(first))
        if len(first) > rows.MOST_BLOCK_BYTES and not LINE_END.search(first):
            raise rows.too_long(1)
    return first, NO_HEADER if first.strip() else None


def _header(first: bytes) -> bytes:
    """Return the first row of a text, with the mark of its byte order."""
    mark = codecs.BOM_UTF8 if first.startswith(codecs.BOM_UTF8) else b""
    found = next(rows.cut(io.BytesIO(first[len(mark) :]), rows=1, has_quotes=True), None)
    return mark if found is None else mark + found.data
