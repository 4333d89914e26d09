"""Arrow IPC, as a stream or as a file (Feather V2): https://arrow.apache.org/docs/format/Columnar.html."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc

from custom_model_runner.data import arrow_message, columnar
from custom_model_runner.plugins import ARROW_FILE

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload

FILE_BEGINS = b"ARROW1\0\0"
FILE_ENDS = b"ARROW1"


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of an Arrow stream or file, whichever the bytes are."""
    return columnar.read("Arrow", payload, _open)


def _open(payload: Payload) -> Any:
    stream = _stream(payload.data)
    messages = iter(pa.ipc.MessageReader.open_stream(stream))
    schema = next(messages, None)
    payload.check_description(schema.metadata.size if schema else 0, "schema of the Arrow input")
    reader = pa.ipc.open_stream(stream)
    payload.check_shape(0, len(reader.schema))
    payload.check_size(sum(arrow_message.decoded_size(message) for message in messages))
    return reader.read_all()


def _stream(data: bytes) -> Any:
    """Return the stream that a file holds between its ends.

    What stands behind the stream would let a reader take the same batch any number of times.
    """
    if not data.startswith(FILE_BEGINS):
        return pa.py_buffer(data)
    if not data.endswith(FILE_ENDS):
        raise ValueError("the end of the file is missing")
    return pa.py_buffer(data).slice(len(FILE_BEGINS))


def skip_to_stream(file: BinaryIO) -> None:
    """Go to where the stream begins that is in an open file; a file without its end is a ValueError."""
    if file.read(len(FILE_BEGINS)) != FILE_BEGINS:
        file.seek(0)
        return
    file.seek(-len(FILE_ENDS), os.SEEK_END)
    if file.read() != FILE_ENDS:
        raise ValueError("the end of the file is missing")
    file.seek(len(FILE_BEGINS))


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
