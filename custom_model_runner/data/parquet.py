"""Parquet: https://parquet.apache.org/docs/file-format/."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from custom_model_runner.data import arrow_size, columnar, parquet_facts

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a Parquet file."""
    return columnar.read("Parquet", payload, _open)


def _open(payload: Payload) -> Any:
    facts = look(payload)
    payload.check_size(facts.size)
    source = pa.BufferReader(payload.data)
    metadata = pq.read_metadata(source)
    # Text that repeats inside lists is read once, and unfolded when it is known to how much.
    with pq.ParquetFile(source, metadata=metadata, read_dictionary=facts.folded) as file:
        table = (
            _in_steps(file, facts.rows_at_once(payload.limit), payload)
            if facts.longest
            else file.read(use_threads=False)
        )
    return _unfolded(table, metadata.schema.to_arrow_schema(), payload)


def look(payload: Payload, let_go: Callable[[], None] = lambda: None) -> parquet_facts.Facts:
    """Return the facts of a file; one with more columns than its limit allows is an error."""
    payload.check_description(parquet_facts.metadata_length(payload.data), "metadata of the Parquet input")
    facts = parquet_facts.of(payload.data, payload.limit, let_go)
    payload.check_shape(0, facts.columns)
    return facts


def _in_steps(file: Any, rows: int, payload: Payload) -> Any:
    """Read so many rows at once, and no more when they are too large."""
    size, batches = 0, []
    for batch in file.iter_batches(batch_size=rows, use_threads=False):
        size += arrow_size.of(pa.Table.from_batches([batch]))
        payload.check_size(size)
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def _unfolded(table: Any, schema: Any, payload: Payload) -> Any:
    """Return the table with the types that it was written with."""
    # One table at the end: with very many columns, setting them one by one takes the square of the time.
    return pa.Table.from_arrays(
        [_plain(*pair, payload) for pair in zip(table.columns, schema, strict=True)], schema=schema
    )


def _plain(column: Any, field: Any, payload: Payload) -> Any:
    """Return a column with the type that it was written with."""
    if column.type == field.type:
        return column
    if pa.types.is_dictionary(column.type):
        payload.check_size(sum(map(arrow_size.unfolded, column.chunks)))
    else:
        payload.check_size(arrow_size.of(pa.table({"": column})))
    return column.cast(field.type)


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a Parquet file."""
    sink = pa.BufferOutputStream()
    # Dates keep their nanoseconds from this version of the format on.
    pq.write_table(columnar.table("Parquet", table), sink, version="2.6")
    written: bytes = sink.getvalue().to_pybytes()
    return written
