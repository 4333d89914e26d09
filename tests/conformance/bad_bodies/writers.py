"""A table, given as its columns, written in every form that is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .case import Columns


def csv(columns: Columns) -> bytes:
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    return "".join(",".join(_csv(value) for value in line) + "\n" for line in lines).encode()


def _csv(value: Any) -> str:
    return "" if value is None else str(value)


def records(columns: Columns) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def json_records(columns: Columns) -> bytes:
    return json.dumps(records(columns)).encode()


def json_split(columns: Columns) -> bytes:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return json.dumps({"columns": list(columns), "data": rows}).encode()


def json_columns(columns: Columns) -> bytes:
    return json.dumps({name: list(values) for name, values in columns.items()}).encode()


def ndjson(columns: Columns) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records(columns)).encode()


def arrow_table(columns: Columns) -> pa.Table:
    return pa.table(
        {name: values if isinstance(values, np.ndarray) else _array(values) for name, values in columns.items()}
    )


def _array(values: Any) -> Any:
    is_large = isinstance(values, list) and any(isinstance(value, int) and value >= 2**63 for value in values)
    return pa.array(values, pa.uint64()) if is_large else values


def arrow_stream(columns: Columns) -> bytes:
    return arrow(arrow_table(columns))


def arrow_file(columns: Columns) -> bytes:
    return arrow(arrow_table(columns), new=pa.ipc.new_file)


def arrow(table: pa.Table, *, new: Callable[..., Any] = pa.ipc.new_stream, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with new(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet(columns: Columns, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(arrow_table(columns), sink, **options)
    return bytes(sink.getvalue())


def mtx(columns: Columns) -> bytes:
    values = list(columns.values())
    rows = len(values[0]) if values else 0
    head = f"%%MatrixMarket matrix array real general\n{rows} {len(values)}\n"
    return (head + "".join(f"{_number(value)}\n" for column in values for value in column)).encode()


def _number(value: Any) -> str:
    return "nan" if value is None else str(value)
