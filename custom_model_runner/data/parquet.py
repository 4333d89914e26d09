"""Parquet: https://parquet.apache.org/docs/file-format/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from custom_model_runner.data import columnar

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a Parquet file."""
    return columnar.read("Parquet", lambda: _open(payload.data))


def _open(data: bytes) -> Any:
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        return file.read()


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return a Parquet file."""
    sink = pa.BufferOutputStream()
    # Dates keep their nanoseconds from this version of the format on.
    pq.write_table(columnar.table("Parquet", table), sink, version="2.6")
    written: bytes = sink.getvalue().to_pybytes()
    return written
