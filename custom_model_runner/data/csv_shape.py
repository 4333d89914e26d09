"""How wide and how long a CSV text is, told before it is parsed, by the rules of `pandas.read_csv`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np

from custom_model_runner.data.payload import CELL, COLUMN, Payload

END = re.compile(rb",|\r\n?|\n")
QUOTE = b'"'
# It may be cut off at the end. What stands before it comes behind its first mark, which is then searched for quickly.
IN_QUOTES = re.compile(rb'"(?:(?<=[,\r\n]")|(?<=\A")|(?<=\A\xef\xbb\xbf"))[^"]*(?:""[^"]*)*"?')
# What stays in the processor's own memory.
COUNTED = 1 << 18


def widths(payload: Payload) -> list[int]:
    """Return how many fields each of the first two rows has, blank ones left out.

    A row that is wider than the payload's limit allows is an error, before anything is made of its fields.
    """
    found = _plain_widths(payload.data)
    if found:
        payload.check_shape(0, max(found))
        return found
    count, start = 0, 0
    for end, ends_row in _fields(payload.data):
        count += 1
        if count * COLUMN > payload.limit:
            payload.check_shape(0, count)
        if ends_row:
            if count > 1 or payload.data[start:end].strip():
                found.append(count)
            if len(found) == 2:
                break
            count, start = 0, end
    return found


def _plain_widths(data: bytes) -> list[int]:
    """Return the widths of the first two lines where no quotes and no blank lines need a closer look, else nothing."""
    first = data.find(b"\n")
    second = data.find(b"\n", first + 1)
    lines = [line.strip() for line in (data[: max(first, 0)], data[first + 1 : max(second, 0)])]
    is_plain = all(line and QUOTE not in line and b"\r" not in line for line in lines)
    return [line.count(b",") + 1 for line in lines] if is_plain else []


def check_rows(payload: Payload, columns: int) -> None:
    """Refuse short rows under a header that is so wide that filling them up takes more than the limit."""
    most = max(payload.limit // CELL, len(payload.data)) // max(columns, 1)
    # Cheap, and not less than there are.
    if count(payload.data, b"\n") + count(payload.data, b"\r") <= most:
        return
    # Line ends inside quotes end no row.
    rows = sum(1 for _ in islice((end for end, ends_row in _fields(payload.data) if ends_row), most + 1))
    payload.check_shape(rows, columns)


def count(data: bytes, byte: bytes) -> int:
    """Return how often a byte comes; where it comes often, arrays count faster than bytes do."""
    codes = np.frombuffer(data, np.uint8)
    starts = range(0, len(codes), COUNTED)
    return sum(int(np.count_nonzero(codes[start : start + COUNTED] == ord(byte))) for start in starts)


def line_of(payload: Payload, row: int) -> int:
    """Return the line in which a row begins that `pandas.read_csv` counts from 0, blank lines left out."""
    is_wide = widths(payload)[0] > 1
    found = (line for line, width, is_blank in _rows(payload) if not (is_blank and is_wide))
    return next(islice(found, row, None))


def odd_line(payload: Payload) -> int | None:
    """Return the first line that is not UTF-8, None if there is none."""
    try:
        payload.data.decode()
    except UnicodeDecodeError as error:
        before = line_ends(payload.data[: error.start])
        header = next((end for end, ends_row in _fields(payload.data) if ends_row), 0)
        if payload.first_line is None or error.start < header:
            return 1 + before
        return payload.first_line + before - line_ends(payload.data[:header])
    return None


def line_of_record(payload: Payload, record: int) -> int:
    """Return the line in which a record begins; they are counted from 1, with the header and blank lines."""
    is_part = payload.first_line is not None
    # Of a part the first record is the header, which stands elsewhere.
    line, ended, start = (payload.first_line or 1) + record - 1 - is_part, 0, 0
    for quoted in IN_QUOTES.finditer(payload.data):
        ended += line_ends(payload.data[start : quoted.start()])
        if ended + 1 >= record:
            break
        line += line_ends(quoted[0]) if ended >= is_part else 0
        start = quoted.end()
    return line


def wide_row(payload: Payload) -> tuple[int, int, int] | None:
    """Return the width of the header, and line and width of the first row that is wider, if there is one."""
    header = widths(payload)[0]
    return next(((header, line, width) for line, width, _ in _rows(payload) if width > header), None)


def _rows(payload: Payload) -> Iterator[tuple[int, int, bool]]:
    """Yield the line in which each row below the header begins, its number of fields, and whether it is blank."""
    line, start, width, is_header = payload.first_line or 1, 0, 0, True
    for end, ends_row in _fields(payload.data):
        width += 1
        if not ends_row:
            continue
        row = payload.data[start:end]
        if is_header:
            is_header = not row.strip()
            line += 0 if payload.first_line else line_ends(row)
        else:
            yield line, width, width == 1 and not row.strip()
            line += line_ends(row)
        start, width = end, 0


def line_ends(row: bytes) -> int:
    """Return how many lines end in bytes that hold whole rows."""
    return row.count(b"\n") + row.count(b"\r") - row.count(b"\r\n")


def _fields(data: bytes) -> Iterator[tuple[int, bool]]:
    """Yield where each field ends with its delimiter, and whether its row ends there."""
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    ends_row = True
    while start < len(data) or not ends_row:
        delimiter = END.search(data, _after_quotes(data, start))
        start = delimiter.end() if delimiter else len(data)
        ends_row = delimiter is None or delimiter[0] != b","
        yield start, ends_row


def _after_quotes(data: bytes, start: int) -> int:
    """Return where a field may end: behind its quotes if it begins with one, and two of them are one."""
    if not data.startswith(QUOTE, start):
        return start
    position = start + 1
    while (closing := data.find(QUOTE, position)) >= 0:
        if not data.startswith(QUOTE, closing + 1):
            return closing + 1
        position = closing + 2
    return len(data)
