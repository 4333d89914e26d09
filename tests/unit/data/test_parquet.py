"""Parquet: whole files and broken ones."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custom_model_runner.data import parquet
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError
from custom_model_runner.plugins import PARQUET

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
