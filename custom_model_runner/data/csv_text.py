"""CSV: read with the values and types of `pandas.read_csv`, written with the number text of JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from custom_model_runner.data import cells, csv_parts, csv_pieces, csv_rows, csv_shape
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError

# What the parser of pandas says instead of raising MemoryError.
OUT_OF_MEMORY = "C error: out of memory"
UNENDED, IN_LINE = re.compile(r"EOF inside string starting at row (\d+)"), re.compile(r"in line (\d+)")

Result = TypeVar("Result")


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a UTF-8 CSV body with a header line; blank lines of a one-column table are missing values."""
    rows = csv_rows.read(payload)
    return _read_any(payload) if rows is None else rows.table()


def each_piece(payload: Payload, use: Callable[[pd.DataFrame], Result]) -> list[Result] | None:
    """Return what a function makes of the rows of a large body, piece by piece, or None where it takes the whole."""
    _check_width(payload)
    return csv_pieces.each(payload.data, use)


def _read_any(payload: Payload) -> pd.DataFrame:
    _check_width(payload)
    try:
        table = _parse(payload, skip_blank_lines=True)
        if table.shape[1] == 1:
            table = _parse(payload, skip_blank_lines=False)
    except UnicodeDecodeError as error:
        raise _undecodable(payload) from error
    except pd.errors.EmptyDataError as error:
        raise InputError("The CSV input is empty: a header line was expected") from error
    except (pd.errors.ParserError, ValueError, OverflowError) as error:
        if OUT_OF_MEMORY in str(error):
            raise MemoryError from error
        if csv_shape.odd_line(payload) is not None:
            raise _undecodable(payload) from error
        csv_parts.check_types(payload)
        csv_parts.check_widths(payload)
        raise InputError(f"The CSV input is broken: {_reason(error, payload)}") from error
    return table if payload.types is None else csv_parts.as_declared(table, payload)


def _undecodable(payload: Payload) -> InputError:
    line = csv_shape.odd_line(payload)
    return InputError(f"The CSV input cannot be decoded: its encoding must be UTF-8, which line {line} is not")


def _check_width(payload: Payload) -> None:
    """Refuse rows wider than the header; pandas would take their first fields for row names, and shift the rest."""
    header_width, *first = csv_shape.widths(payload) or [0]
    if first and first[0] > header_width:
        csv_parts.check_widths(payload)
        wide = csv_shape.wide_row(payload)
        place = f" in line {wide[1]}" if wide else ""
        raise InputError(
            f"The CSV input is broken: rows hold more fields than the header line: {first[0]}{place}, "
            f"expected {header_width}"
        )
    csv_shape.check_rows(payload, header_width)


def _parse(payload: Payload, *, skip_blank_lines: bool) -> pd.DataFrame:
    return csv_parts.read(payload, skip_blank_lines=skip_blank_lines)


def _reason(error: Exception, payload: Payload) -> str:
    """Return the parser's reason when it speaks of lines and fields only; other texts may quote the data."""
    if not isinstance(error, pd.errors.ParserError):
        return "a value cannot be read"
    text = str(error).strip().removeprefix("Error tokenizing data. C error: ")
    if unended := UNENDED.search(text):
        line = csv_shape.line_of_record(payload, int(unended[1]) + 1)
        return f"the row in line {line} has quotes that never end"
    # What it counts as lines are records.
    return IN_LINE.sub(lambda found: f"in line {csv_shape.line_of_record(payload, int(found[1]))}", text)


def write(table: pd.DataFrame, media_type: str = "text/csv") -> bytes:
    """Return CSV with a header line; the index is left out."""
    return header([str(name) for name in table.columns]) + lines(table)


def header(columns: Sequence[str], *, line_end: str = "\n") -> bytes:
    """Return the header line."""
    return _lines([columns], line_end)


def lines(table: pd.DataFrame, *, line_end: str = "\n") -> bytes:
    """Return one line for each row."""
    if all(dtype == np.float64 for dtype in table.dtypes):
        return cells.float_lines(table.to_numpy()).replace(b"\n", line_end.encode())
    texts = [cells.texts(cells.array(column)) for _, column in table.items()]
    return _lines(zip(*texts, strict=True), line_end)


def with_floats(lines: bytes, places: Collection[int]) -> bytes:
    """Return lines that were written so, with the integers of some columns as floats."""
    # A field of the output may be longer than the module allows by default.
    csv.field_size_limit(max(csv.field_size_limit(), len(lines)))
    rows = csv.reader(io.StringIO(lines.decode(), newline=""))
    return _lines([[_float(text) if n in places else text for n, text in enumerate(row)] for row in rows], "\n")


def _float(text: str) -> str:
    return text and cells.json_text(float(text)).decode()


def _lines(rows: Iterable[Sequence[str]], line_end: str) -> bytes:
    rows = list(rows)
    # Readers take a bare carriage return for a line end, and the writer does not know that it needs quotes.
    has_returns = any("\r" in text for row in rows for text in row)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL)
    try:
        writer.writerows(rows)
        return out.getvalue().encode()
    except UnicodeEncodeError as error:
        raise ContractError("The predictions hold text that cannot be written as UTF-8") from error
    except csv.Error as error:
        raise ContractError("The predictions hold a NUL, which the CSV writer of Python 3.10 refuses") from error
