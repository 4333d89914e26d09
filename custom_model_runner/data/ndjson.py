"""NDJSON, also called JSON lines: a record on each line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from custom_model_runner.data import cells, column_names, records
from custom_model_runner.data.payload import CELL

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of one JSON object per line; blank lines do not count."""
    found = rows(payload)
    if payload.types is not None:
        return records.typed("NDJSON", found, payload.types, line_of=lambda row: _line_of(payload, row))
    return records.from_rows("NDJSON", found, check_shape=payload.check_shape)


def _line_of(payload: Payload, row: int) -> int:
    return [number for number, line in _lines(payload) if line.strip()][row]


def _lines(payload: Payload) -> Iterator[tuple[int, bytes]]:
    return enumerate(payload.data.split(b"\n"), start=payload.first_line or 1)


def rows(payload: Payload) -> list[Any]:
    """Return the object on each line, blank ones left out."""
    # Blank lines take time and memory, too.
    payload.check_size(records.size(payload.data) + payload.data.count(b"\n") * CELL)
    found = [records.parse("NDJSON", line, line=number) for number, line in _lines(payload) if line.strip()]
    records.check_rows("NDJSON", found)
    return found


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a line for each row; columns of the same name break the contract."""
    names = column_names.check_out(table.columns, "NDJSON")
    template = b"{" + b",".join(cells.json_constant(name) + b":%b" for name in names) + b"}\n"
    columns = [cells.json_texts(cells.values(column)) for _, column in table.items()]
    return b"".join([template % row for row in zip(*columns, strict=True)])
