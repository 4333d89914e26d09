"""NDJSON, also called JSON lines: a record on each line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from custom_model_runner.data import cells, column_names, ndjson_columns, records
from custom_model_runner.data.payload import CELL

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload

DECODER = json.JSONDecoder()


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of one JSON object per line; blank lines do not count."""
    if payload.types is not None:
        return _typed(payload, payload.types)
    return records.from_rows("NDJSON", rows(payload), check_shape=payload.check_shape)


def _typed(payload: Payload, types: Mapping[str, str]) -> pd.DataFrame:
    check_size(payload)
    table = ndjson_columns.read(payload.data, types)
    if table is None:
        table = records.typed("NDJSON", rows(payload), types, line_of=lambda row: _line_of(payload, row))
    return table


def _line_of(payload: Payload, row: int) -> int:
    return [number for number, line in _lines(payload) if line.strip()][row]


def _lines(payload: Payload) -> Iterator[tuple[int, bytes]]:
    return enumerate(payload.data.split(b"\n"), start=payload.first_line or 1)


def rows(payload: Payload) -> list[Any]:
    """Return the object on each line, blank ones left out."""
    check_size(payload)
    found = [records.parse("NDJSON", line, line=number) for number, line in _lines(payload) if line.strip()]
    records.check_rows("NDJSON", found, line_of=lambda row: _line_of(payload, row))
    return found


def check_size(payload: Payload) -> None:
    """Refuse more records than there is room for."""
    # Blank lines take time and memory, too.
    if len(payload.data) * records.CONTAINER > payload.limit:
        payload.check_size(records.size(payload.data) + payload.data.count(b"\n") * CELL)


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a line for each row; columns of the same name break the contract."""
    names = column_names.check_out(table.columns, "NDJSON")
    template = b"{" + b",".join(cells.json_constant(name) + b":%b" for name in names) + b"}\n"
    columns = [cells.json_texts(cells.values(column)) for _, column in table.items()]
    return b"".join([template % row for row in zip(*columns, strict=True)])


def with_floats(lines: bytes, names: Sequence[str], places: Collection[int]) -> bytes:
    """Return lines that were written so, with columns of these names, and the integers of some of them as floats."""
    heads = [f"{',' if n else '{'}{cells.json_text(name).decode()}:" for n, name in enumerate(names)]
    return "".join(_with_floats(line, heads, places) for line in lines.decode().split("\n")[:-1]).encode()


def _with_floats(line: str, heads: Sequence[str], places: Collection[int]) -> str:
    """Return a line with other spellings of some values; whatever stands between is copied."""
    parts, end = [], 0
    for place, head in enumerate(heads):
        start = end + len(head)
        value, end = DECODER.raw_decode(line, start)
        is_other = place in places and value is not None
        parts += [head, cells.json_text(float(value)).decode() if is_other else line[start:end]]
    return "".join([*parts, "}\n"])
