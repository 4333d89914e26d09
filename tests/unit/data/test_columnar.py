"""Which types of Arrow become which types of pandas, and back."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from custom_model_runner.data import columnar
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError

EMPTY = Payload(b"")
# Whatever type text has in a table from CSV.
TEXT = pd.read_csv(io.StringIO("a\ntext\n"))["a"].dtype


def read(columns: dict[str, Any]) -> pd.DataFrame:
    return columnar.read("Arrow", EMPTY, lambda _: pa.table(columns))


@pytest.mark.parametrize(
    ("array", "dtype", "values"),
    [
        (pa.array([1, 2]), "int64", [1, 2]),
        (pa.array([1, None]), "float64", [1.0, None]),
        (pa.array([1, 2], pa.int8()), "int8", [1, 2]),
        (pa.array([2**63, 1], pa.uint64()), "uint64", [2**63, 1]),
        (pa.array([1.5, float("inf")]), "float64", [1.5, float("inf")]),
        (pa.array([1.5, float("nan")]), "float64", [1.5, None]),
        (pa.array([0.5, None], pa.float32()), "float32", [0.5, None]),
        (pa.array([Decimal("1.25"), None]), "float64", [1.25, None]),
        (pa.array([True, False]), "bool", [True, False]),
        (pa.array([True, None]), "object", [True, None]),
        (pa.nulls(2), "float64", [None, None]),
        (pa.array(["x", None]), TEXT, ["x", None]),
        (pa.array(["x", None], pa.large_string()), TEXT, ["x", None]),
        (pa.array(["x", "y", None]).dictionary_encode(), pd.CategoricalDtype(["x", "y"]), ["x", "y", None]),
        (pa.array([b"x", None]), "object", [b"x", None]),
        (pa.array([{"a": 1}, None]), "object", [{"a": 1}, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_an_arrow_type_becomes_what_users_of_pandas_expect(array: Any, dtype: Any, values: list[Any]) -> None:
    column = read({"a": array})["a"]
    assert column.dtype == dtype
    assert [None if gone else value for gone, value in zip(column.isna(), column, strict=True)] == values


@pytest.mark.parametrize(
    "array",
    [
        pa.array([datetime(2020, 1, 2, 3, 4, 5), None], pa.timestamp("us")),
        pa.array([datetime(2020, 1, 2, 3, 4, 5), None], pa.timestamp("ns")),
        pa.array([date(2020, 1, 2), None]),
    ],
    ids=str,
)
def test_dates_become_datetime64(array: Any) -> None:
    column = read({"a": array})["a"]
    assert column.dtype.kind == "M"
    assert column.isna().tolist() == [False, True]
    assert column[0].date() == date(2020, 1, 2)


def test_a_time_zone_is_kept() -> None:
    noon = datetime(2020, 7, 1, 12, tzinfo=timezone.utc)
    column = read({"a": pa.array([noon], pa.timestamp("us", "Europe/Berlin"))})["a"]
    assert str(column.dt.tz) == "Europe/Berlin"
    assert column[0] == noon


def test_a_duration_becomes_timedelta64() -> None:
    assert read({"a": pa.array([timedelta(days=1)])})["a"][0] == pd.Timedelta(days=1)


def test_lists_become_arrays() -> None:
    first, second = read({"a": pa.array([[1, 2], None])})["a"]
    assert isinstance(first, np.ndarray)
    assert first.tolist() == [1, 2]
    assert np.isnan(second)


@pytest.mark.parametrize("array", [pa.array([True, None]), pa.array([b"x", None]), pa.array(["x", None])], ids=str)
def test_a_missing_value_is_nan_as_in_csv(array: Any) -> None:
    missing = read({"a": array})["a"][1]
    assert isinstance(missing, float)
    assert np.isnan(missing)


@pytest.mark.parametrize("width", [1, 3])
def test_values_may_be_changed_in_place(width: int) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({f"{kind}{n}": pa.array([1, 2], kind) for n in range(width) for kind in ("int64", "double")})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    frame = columnar.read("Arrow", EMPTY, lambda _: pa.ipc.open_stream(sink.getvalue().to_pybytes()).read_all())
    for position in range(frame.shape[1]):
        frame.iloc[0, position] = 7
    assert frame.iloc[0].tolist() == [7] * frame.shape[1]


def test_an_index_of_pandas_without_a_name_is_left_out() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=[5, 6])
    read_back = columnar.read("Arrow", EMPTY, lambda _: pa.Table.from_pandas(frame, preserve_index=True))
    pd.testing.assert_frame_equal(read_back, pd.DataFrame({"x": [1, 2]}))


def test_an_index_of_pandas_with_a_name_is_a_column() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index([5, 6], name="id"))
    read_back = columnar.read("Arrow", EMPTY, lambda _: pa.Table.from_pandas(frame))
    pd.testing.assert_frame_equal(read_back, pd.DataFrame({"x": [1, 2], "id": [5, 6]}))


def test_column_names_are_text() -> None:
    frame = columnar.read("Arrow", EMPTY, lambda _: pa.Table.from_pandas(pd.DataFrame({0: [1], 1: [2]})))
    assert list(frame.columns) == ["0", "1"]


def test_names_that_differ_after_a_nul_are_of_two_columns() -> None:
    frame = read({"a": [1], "a\0": ["x"]})
    pd.testing.assert_frame_equal(frame, pd.DataFrame([[1, "x"]], columns=["a", "a\0"]))


def test_two_columns_of_one_name_are_an_input_error_that_does_not_show_it() -> None:
    table = pa.Table.from_arrays([pa.array([1])] * 3, names=["a", "MARKER", "MARKER"])
    with pytest.raises(
        InputError, match="Arrow input has two columns of the same name; the second is column 2"
    ) as error:
        columnar.read("Arrow", EMPTY, lambda _: table)
    assert "MARKER" not in str(error.value)


def test_what_pandas_cannot_hold_is_an_input_error() -> None:
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["x", "x"]))
    with pytest.raises(InputError, match="Parquet input holds types or values that a table cannot hold"):
        columnar.read("Parquet", EMPTY, lambda _: pa.table({"a": twice}))


def test_offsets_beyond_the_data_are_an_input_error() -> None:
    offsets = pa.py_buffer(np.array([0, 2**30, 2], np.int32).tobytes())
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"xy")])
    with pytest.raises(InputError, match="Arrow input is broken"):
        columnar.read("Arrow", EMPTY, lambda _: pa.table({"a": broken}))


def test_too_little_memory_is_not_called_broken() -> None:
    def fail(_: Payload) -> Any:
        raise pa.ArrowMemoryError("malloc failed")

    with pytest.raises(MemoryError):
        columnar.read("Arrow", EMPTY, fail)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, 2.5], pa.float64()),
        ([1, 2], pa.int64()),
        ([True, False], pa.bool_()),
        (["x", None], pa.string()),
        ([None, None], pa.string()),
        ([["a"], ["b", "c"]], pa.list_(pa.string())),
        (pd.Categorical(["x", "y"]), pa.dictionary(pa.int8(), pa.string())),
        (pd.array([1, None], "Int64"), pa.int64()),
    ],
    ids=str,
)
def test_a_column_is_written_with_its_own_type(values: Any, kind: Any) -> None:
    written = columnar.table("Arrow", pd.DataFrame({"a": values}))["a"].type
    if pa.types.is_dictionary(written):
        assert written.value_type in (pa.string(), pa.large_string())
    else:
        assert written == kind


def test_a_missing_number_is_written_as_null() -> None:
    assert columnar.table("Arrow", pd.DataFrame({"a": [1.5, np.nan]}))["a"].null_count == 1


def test_objects_without_a_common_type_become_text() -> None:
    written = columnar.table("Arrow", pd.DataFrame({"a": [1, "x", None, 2.5]}, dtype=object))
    assert written["a"].to_pylist() == ["1", "x", None, "2.5"]


def test_a_sparse_column_is_written_as_its_numbers() -> None:
    written = columnar.table("Arrow", pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.5])}))
    assert written["a"].type == pa.float64()
    assert written["a"].to_pylist() == [0.0, 1.5]


def test_the_index_is_not_written() -> None:
    assert columnar.table("Arrow", pd.DataFrame({"a": [1]}, index=[7])).column_names == ["a"]


def test_text_that_is_no_unicode_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match="cannot be written as UTF-8"):
        columnar.table("Arrow", pd.DataFrame({"a": ["\ud800", 1]}, dtype=object))


def test_two_columns_of_one_name_cannot_be_written() -> None:
    with pytest.raises(ContractError, match="two columns named 'a', which Parquet cannot hold"):
        columnar.table("Parquet", pd.DataFrame([[1, 2]], columns=["a", "a"]))
