"""Text cut into blocks of whole rows, without parsing it: a row of CSV may have line ends inside quotes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from custom_model_runner.data.compression import Readable
from custom_model_runner.data.csv_shape import QUOTE
from custom_model_runner.errors import PayloadTooLarge

Places = np.ndarray[Any, np.dtype[np.intp]]
PIECE = 1 << 20
# Also that of a row: what is longer is not held.
MOST_BLOCK_BYTES = 64 << 20
NEWLINE, RETURN, QUOTE_MARK = 10, 13, 34
BEFORE_FIELD = np.array([44, NEWLINE, RETURN], dtype=np.uint8)
# A field in quotes, in which two of them are one; it may be cut off at the end. Its first mark is searched for quickly.
QUOTED = re.compile(rb'"(?:(?<=[,\r\n]")|(?<=\A"))[^"]*(?:""[^"]*)*"?')


@dataclass(frozen=True)
class Cut:
    """Whole rows behind a header, the number of the line in which the first of them begins, and that behind them."""

    data: bytes
    first_line: int
    next_line: int


@dataclass(frozen=True)
class _Region:
    """Bytes that begin with a row: how many rows end in them, where the last one does, and where each does."""

    data: memoryview
    count: int
    last: int
    ends: Callable[[], Places]


def cut(
    source: Readable, *, rows: int, has_quotes: bool, head: bytes = b"", first_line: int = 1, has_end: bool = True
) -> Iterator[Cut]:
    """Yield the rows of a text, so many at a time, or fewer where they are very long; blank lines count as rows.

    A last row without a line end belongs to a text that has its end.
    """
    parts: list[bytes | memoryview] = [head]
    count = size = 0
    for region in _regions(source, has_quotes=has_quotes, first_line=first_line, has_end=has_end):
        start = taken = 0
        while taken < region.count:
            step = min(rows - count, region.count - taken)
            end = region.last if taken + step == region.count else int(region.ends()[taken + step - 1])
            parts.append(region.data[start:end])
            count, size, start, taken = count + step, size + end - start, end, taken + step
            if count == rows or size >= MOST_BLOCK_BYTES:
                found = _cut(parts, count, first_line, has_quotes=has_quotes)
                yield found
                first_line, parts, count, size = found.next_line, [head], 0, 0
    if len(parts) > 1:
        yield _cut(parts, count, first_line, has_quotes=has_quotes)


def _cut(parts: list[bytes | memoryview], rows: int, first_line: int, *, has_quotes: bool) -> Cut:
    data = b"".join(parts)
    return Cut(data, first_line, first_line + _lines(data, rows, start=len(parts[0]), has_quotes=has_quotes))


def _lines(data: bytes, rows: int, *, has_quotes: bool, start: int = 0, end: int | None = None) -> int:
    """Return how many lines some rows take."""
    is_one_each = not has_quotes or data.find(QUOTE, start, end) < 0
    return rows if is_one_each else data.count(b"\n", start, end) or rows


def _regions(source: Readable, *, has_quotes: bool, first_line: int, has_end: bool) -> Iterator[_Region]:
    """Yield bytes up to the last line end in them that ends a row."""
    rest = b""
    while piece := source.read(max(PIECE, len(rest))):
        data = rest + piece
        region = _quoted(data) if has_quotes and QUOTE in data else _plain(data)
        if region.count:
            yield region
            first_line += _lines(data, region.count, end=region.last, has_quotes=has_quotes)
        rest = data[region.last :]
        if len(rest) > MOST_BLOCK_BYTES:
            raise too_long(first_line)
    if rest and has_end:
        yield _Region(memoryview(rest), 1, len(rest), lambda: np.array([len(rest)]))


def too_long(line: int) -> PayloadTooLarge:
    """Return the failure of a row that is not held."""
    return PayloadTooLarge(
        f"The row in line {line} of the input has over {MOST_BLOCK_BYTES} bytes, the limit for a row, "
        "or quotes that never end; --whole-file has no such limit"
    )


def _plain(data: bytes) -> _Region:
    """Look at bytes without quotes: counting line ends is faster than finding them."""
    return _Region(memoryview(data), data.count(b"\n"), data.rfind(b"\n") + 1, cache(lambda: _line_ends(data)))


def _quoted(data: bytes) -> _Region:
    ends = _row_ends(data)
    return _Region(memoryview(data), len(ends), int(ends[-1]) if len(ends) else 0, lambda: ends)


def _line_ends(region: bytes) -> Places:
    """Return the places behind the line ends."""
    return np.flatnonzero(np.frombuffer(region, np.uint8) == NEWLINE) + 1


def _row_ends(region: bytes) -> Places:
    """Return the places behind the line ends that are not inside quotes; the region begins with a row."""
    ends = _line_ends(region)
    data = np.frombuffer(region, np.uint8)
    marks = np.flatnonzero(data == QUOTE_MARK)
    if not _alternate(data, marks):
        marks = np.array([place for found in QUOTED.finditer(region) for place in _marks(found)])
    # As many marks before it as open and close.
    outside: Places = ends[np.searchsorted(marks, ends) % 2 == 0]
    return outside


def _marks(quoted: re.Match[bytes]) -> tuple[int, int]:
    """Return where a field in quotes opens and closes; what is cut off closes behind the region."""
    is_cut_off = quoted[0].count(QUOTE) % 2 == 1
    return quoted.start(), quoted.end() - (not is_cut_off)


def _alternate(data: np.ndarray[Any, Any], marks: Places) -> bool:
    """Say whether quotes open and close in turn: the odd ones begin fields or follow even ones, which end fields."""
    first, second = marks[0::2], marks[1::2]
    before = np.isin(data[first - 1], BEFORE_FIELD) | (first == 0)
    before[1:] |= first[1:] == second[: len(first) - 1] + 1
    inner = second[second + 1 < len(data)]
    after = np.isin(data[inner + 1], BEFORE_FIELD) | (data[inner + 1] == QUOTE_MARK)
    return bool(before.all() and after.all())
