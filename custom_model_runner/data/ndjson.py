"""NDJSON, also called JSON lines: a record on each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custom_model_runner.data import cells, column_names, records

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of one JSON object per line; blank lines do not count."""
    lines = enumerate(payload.data.split(b"\n"), start=1)
    rows = [records.parse("NDJSON", line, line=number) for number, line in lines if line.strip()]
    return records.from_rows("NDJSON", rows)


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a line for each row; columns of the same name break the contract."""
    names = column_names.check_out(table.columns, "NDJSON")
    rows = zip(*(cells.values(column) for _, column in table.items()), strict=True)
    return b"".join(cells.json_text(dict(zip(names, row, strict=True))) + b"\n" for row in rows)
