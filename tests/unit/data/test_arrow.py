"""Arrow IPC: streams and files, whole and broken."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from custom_model_runner.data import arrow
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM

TABLE = pd.DataFrame({"n": [1, 2, 3], "t": ["a", None, "é"]})
BYTES = {media_type: arrow.write(TABLE, media_type) for media_type in (ARROW_STREAM, ARROW_FILE)}


def read(data: bytes, media_type: str = ARROW_STREAM) -> pd.DataFrame:
    return arrow.read(Payload(data, media_type))


@pytest.mark.parametrize("written", BYTES)
@pytest.mark.parametrize("called", [ARROW_STREAM, ARROW_FILE, "application/x-apache-arrow-stream"])
def test_the_bytes_and_not_their_name_tell_a_stream_from_a_file(written: str, called: str) -> None:
    pd.testing.assert_frame_equal(read(BYTES[written], called), TABLE)


def test_a_file_begins_with_its_magic_and_a_stream_does_not() -> None:
    assert BYTES[ARROW_FILE].startswith(b"ARROW1")
    assert not BYTES[ARROW_STREAM].startswith(b"ARROW1")


def test_the_historic_media_type_is_that_of_a_stream() -> None:
    assert arrow.write(TABLE, "application/x-apache-arrow-stream") == BYTES[ARROW_STREAM]


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_v2_is_read(compression: str) -> None:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, sink, compression=compression)
    pd.testing.assert_frame_equal(read(sink.getvalue()), TABLE)


def test_several_batches_are_one_table() -> None:
    sink = io.BytesIO()
    content = pa.Table.from_pandas(TABLE)
    with pa.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=1)
    pd.testing.assert_frame_equal(read(sink.getvalue()), TABLE)


def test_a_table_may_have_no_rows() -> None:
    assert read(arrow.write(TABLE.iloc[:0], ARROW_FILE)).shape == (0, 2)


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_file_that_is_cut_short_is_an_input_error(cut: int) -> None:
    whole = BYTES[ARROW_FILE]
    with pytest.raises(InputError, match=r"^The Arrow input is broken or cut short$"):
        read(whole[: len(whole) * cut // 10])


def test_a_stream_that_is_cut_within_a_message_is_an_input_error() -> None:
    whole = BYTES[ARROW_STREAM]
    with pytest.raises(InputError, match=r"^The Arrow input is broken or cut short$"):
        read(whole[:-20])


@pytest.mark.parametrize(
    "data", [b"", b"n,t\n1,a\n", b"PAR1junkPAR1", b"ARROW1", b"ARROW2" + BYTES[ARROW_FILE][6:], b"FEA1" * 9]
)
def test_other_bytes_are_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^The Arrow input is broken or cut short$"):
        read(data)


def test_text_that_is_not_utf_8_is_an_input_error() -> None:
    sink = io.BytesIO()
    wrong = pa.table({"t": pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())})
    with pa.ipc.new_stream(sink, wrong.schema) as writer:
        writer.write_table(wrong)
    with pytest.raises(InputError, match=r"^The Arrow input is broken or cut short$"):
        read(sink.getvalue())


def written(table: pa.Table, *, compression: str | None = None, batch_rows: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("batch_rows", [None, 1000])
def test_more_than_the_limit_is_refused_before_it_is_decompressed(compression: str, batch_rows: int | None) -> None:
    zeros = pa.table({"n": np.zeros(100_000)})
    body = written(zeros, compression=compression, batch_rows=batch_rows)
    assert len(arrow.read(Payload(body, limit=1_000_000))) == 100_000
    held = pa.total_allocated_bytes()
    pool_peak = pa.default_memory_pool().max_memory()
    with pytest.raises(PayloadTooLarge, match="a table of more than 700000 bytes"):
        arrow.read(Payload(body, limit=700_000))
    assert pa.total_allocated_bytes() == held
    assert pa.default_memory_pool().max_memory() == pool_peak


def test_a_plain_table_may_be_as_large_as_its_body() -> None:
    zeros = pa.table({"n": np.zeros(100_000)})
    assert len(arrow.read(Payload(written(zeros), limit=10_000))) == 100_000


def test_more_columns_than_the_limit_has_room_for_are_refused() -> None:
    wide = written(pa.table({f"c{number}": [1.0] * 1000 for number in range(11)}))
    with pytest.raises(PayloadTooLarge, match="has 11 columns, expected at most 10"):
        arrow.read(Payload(wide, limit=10_240))


def test_a_schema_that_takes_more_than_the_limit_is_refused() -> None:
    wide = written(pa.table({f"c{number}": [1.0] for number in range(1000)}))
    assert arrow.read(Payload(wide, limit=1 << 22)).shape == (1, 1000)
    with pytest.raises(PayloadTooLarge, match=r"The schema of the Arrow input has \d{5} bytes, expected at most 32768"):
        arrow.read(Payload(wide, limit=1 << 20))


def test_rows_of_nothing_are_refused_before_they_become_numbers() -> None:
    body = written(pa.table({"n": pa.nulls(2_000_000_000)}))
    assert len(body) < 1000
    with pytest.raises(PayloadTooLarge):
        arrow.read(Payload(body))


def test_a_file_is_read_once_whatever_its_end_repeats() -> None:
    """The end of a file may name the same batch many times; it is not what is read."""
    whole = BYTES[ARROW_FILE]
    footer_length = int.from_bytes(whole[-10:-6], "little")
    end = len(whole) - 10 - footer_length
    assert read(whole[:end] + bytes(footer_length) + whole[-10:]).equals(TABLE)
