"""Parquet: whole files and broken ones."""

from __future__ import annotations

import gc
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custom_model_runner.data import parquet
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge
from custom_model_runner.plugins import PARQUET

from ... import parquet_files
from ...parquet_files import LONG

TABLE = pd.DataFrame({"n": [1, 2, 3], "t": ["a", None, "é"], "c": pd.Categorical(["x", "y", "x"])})
WHOLE = parquet.write(TABLE, PARQUET)


def read(data: bytes) -> pd.DataFrame:
    return parquet.read(Payload(data, PARQUET))


def test_what_is_written_is_read() -> None:
    pd.testing.assert_frame_equal(read(WHOLE), TABLE)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_every_compression_is_read(compression: str) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(TABLE), sink, compression=compression, row_group_size=2)
    pd.testing.assert_frame_equal(read(sink.getvalue()), TABLE)


def test_dates_keep_their_nanoseconds() -> None:
    dates = pd.DataFrame({"d": pd.to_datetime(["2020-01-01T00:00:00.000000001"])})
    pd.testing.assert_frame_equal(read(parquet.write(dates, PARQUET)), dates)


def test_a_table_may_have_no_rows() -> None:
    assert read(parquet.write(TABLE.iloc[:0], PARQUET)).shape == (0, 3)


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_file_that_is_cut_short_is_an_input_error(cut: int) -> None:
    with pytest.raises(InputError, match=r"^The Parquet input is broken or cut short$"):
        read(WHOLE[: len(WHOLE) * cut // 10])


@pytest.mark.parametrize(
    "data", [b"", b"n,t\n1,a\n", b"PAR1", b"PAR1junkPAR1", b"PARE" + WHOLE[4:-4] + b"PARE", b"ARROW1" * 9]
)
def test_other_bytes_are_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^The Parquet input is broken or cut short$"):
        read(data)


def test_pages_that_are_broken_are_an_input_error() -> None:
    middle = len(WHOLE) // 4
    with pytest.raises(InputError, match="The Parquet input"):
        read(WHOLE[:4] + b"\xff" * middle + WHOLE[4 + middle :])


def written(columns: Mapping[str, Any], **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return bytes(sink.getvalue())


# Each is some kilobytes that hold 8 MB, or 10 MB of text.
FOLDED = {
    "equal numbers": written({"n": np.zeros(1_000_000)}),
    "plain numbers": written({"n": np.zeros(1_000_000)}, use_dictionary=False, compression="zstd"),
    "equal texts": written({"t": [LONG] * 1000}),
    "equal texts in lists": written({"t": [[LONG] * 100] * 10}),
    "equal texts in structs": written({"t": [{"a": LONG}] * 1000}),
    "texts with equal beginnings": parquet_files.LONG_TEXTS,
    "equal bytes of one length": written({"b": pa.array([LONG.encode()] * 1000, pa.binary(len(LONG)))}),
    "missing values": written({"n": pa.nulls(1_000_000, pa.float64())}),
    "nothing": written({"n": pa.nulls(2_000_000)}),
}


@pytest.mark.parametrize("data", [parquet_files.LONG_TEXTS, parquet_files.SHORT_TEXTS])
def test_the_files_with_equal_beginnings_are_such_files(data: bytes) -> None:
    assert "DELTA_BYTE_ARRAY" in pq.read_metadata(io.BytesIO(data)).row_group(0).column(0).encodings


@pytest.mark.parametrize("name", FOLDED)
def test_what_unfolds_to_more_than_the_limit_is_refused_before_it_does(name: str) -> None:
    assert len(FOLDED[name]) < 100_000
    assert len(parquet.read(Payload(FOLDED[name], limit=1 << 25))) > 0
    gc.collect()
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    with pytest.raises(PayloadTooLarge, match="a table of more than 4000000 bytes"):
        parquet.read(Payload(FOLDED[name], limit=4_000_000))
    assert pool.bytes_allocated() - before < 1_000_000


def test_text_is_the_same_however_it_is_stored() -> None:
    columns = {
        "t": ["a", None, "é", "a"] * 10,
        "b": [b"1", None, b"2", b"1"] * 10,
        "l": [["x", None], None, [], ["x"]] * 10,
        "s": [{"q": "x"}, None, {"q": None}, {"q": "y"}] * 10,
        "c": pa.array(["u", "v", None, "u"] * 10).dictionary_encode(),
    }
    plain, folded = (read(written(columns, use_dictionary=which)) for which in (False, True))
    pd.testing.assert_frame_equal(folded, plain)
    assert isinstance(folded["c"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(read(parquet_files.SHORT_TEXTS), plain[["t"]])


def test_more_columns_than_the_limit_has_room_for_are_refused() -> None:
    wide = written({f"column{number}": [1.0] for number in range(1000)})
    metadata = int.from_bytes(wide[-8:-4], "little")
    assert parquet.read(Payload(wide, limit=metadata * 32)).shape == (1, 1000)
    with pytest.raises(PayloadTooLarge, match=f"metadata .* {metadata} bytes, expected at most {metadata - 1} under"):
        parquet.read(Payload(wide, limit=metadata * 32 - 1))


def test_more_columns_without_rows_than_the_limit_has_room_for_are_refused() -> None:
    wide = pa.schema([(f"c{number}", pa.bool_()) for number in range(1001)])
    sink = pa.BufferOutputStream()
    pq.ParquetWriter(sink, wide).close()
    body = parquet_files.without_arrow_schema(bytes(sink.getvalue()))
    with pytest.raises(PayloadTooLarge, match="has 1001 columns, expected at most 1000"):
        parquet.read(Payload(body, limit=1000 * 1024))
