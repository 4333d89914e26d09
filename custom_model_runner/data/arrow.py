"""Arrow IPC, as a stream or as a file (Feather V2): https://arrow.apache.org/docs/format/Columnar.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.ipc

from custom_model_runner.data import columnar
from custom_model_runner.plugins import ARROW_FILE

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload

FILE_BEGINS = b"ARROW1"


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of an Arrow stream or file, whichever the bytes are."""
    return columnar.read("Arrow", lambda: _open(payload.data).read_all())


def _open(data: bytes) -> Any:
    is_file = data.startswith(FILE_BEGINS)
    return pa.ipc.open_file(data) if is_file else pa.ipc.open_stream(data)


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return an Arrow file where its media type is asked for, else a stream."""
    return _written(table, pa.ipc.new_file if media_type == ARROW_FILE else pa.ipc.new_stream)


def write_legacy_stream(table: pd.DataFrame) -> bytes:
    """Return an Arrow stream that versions of Arrow before 0.15 and later ones can read."""
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4, use_legacy_format=True)
    return _written(table, pa.ipc.new_stream, options)


def _written(table: pd.DataFrame, new: Any, options: Any = None) -> bytes:
    content = columnar.table("Arrow", table)
    sink = pa.BufferOutputStream()
    with new(sink, content.schema, options=options) as writer:
        writer.write_table(content)
    written: bytes = sink.getvalue().to_pybytes()
    return written
