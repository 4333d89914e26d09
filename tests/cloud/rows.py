"""The rows that are scored, in every format."""

from __future__ import annotations

import gzip
import io

import pyarrow.feather

from .conftest import FRAME

CSV = FRAME.to_csv(index=False).encode()


def encoded(suffix: str) -> bytes:
    """Return the rows as a file of a name with this suffix holds them."""
    if suffix in (".parquet", ".arrow"):
        file = io.BytesIO()
        (FRAME.to_parquet if suffix == ".parquet" else lambda out: pyarrow.feather.write_feather(FRAME, out))(file)
        return file.getvalue()
    data = FRAME.to_json(orient="records", lines=True).encode() if ".ndjson" in suffix else CSV
    return gzip.compress(data) if suffix.endswith(".gz") else data
