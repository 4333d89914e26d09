"""Values of JSON as columns: the types are those that CSV would give."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pandas as pd
import pytest

from custom_model_runner.data import records
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge

TEXT = pd.read_csv(io.StringIO("a\ntext\n"))["a"].dtype


def column_of(text: str) -> pd.Series[Any]:
    return records.from_columns({"a": records.parse("JSON", text.encode())})["a"]


@pytest.mark.parametrize(
    ("text", "dtype", "values"),
    [
        ("[1, 2]", "int64", [1, 2]),
        ("[1, null]", "float64", [1.0, None]),
        ("[1, 2.5]", "float64", [1.0, 2.5]),
        ("[1.5, null]", "float64", [1.5, None]),
        ("[-0.0, 5e-324]", "float64", [-0.0, 5e-324]),
        ("[true, false]", "bool", [True, False]),
        ("[true, null]", "object", [True, None]),
        ('["x", "é"]', TEXT, ["x", "é"]),
        ('["x", null]', TEXT, ["x", None]),
        ('["", "NA", "1"]', TEXT, ["", "NA", "1"]),
        ("[null, null]", "float64", [None, None]),
        ('[1, "x", null]', "object", [1, "x", None]),
        ("[1, true]", "object", [1, True]),
        ("[[1, 2], [3]]", "object", [[1, 2], [3]]),
        ('[{"x": 1}, {"y": null}]', "object", [{"x": 1}, {"y": None}]),
        ("[9223372036854775807]", "int64", [2**63 - 1]),
        ("[9223372036854775808, 18446744073709551615]", "uint64", [2**63, 2**64 - 1]),
        ("[9223372036854775808, -1]", "float64", [2.0**63, -1.0]),
        ("[9223372036854775808, null]", "float64", [2.0**63, None]),
        ("[18446744073709551616]", "float64", [2.0**64]),
        ("[-9223372036854775809, 1]", "float64", [-(2.0**63), 1.0]),
    ],
)
def test_a_column_has_the_type_of_its_values(text: str, dtype: Any, values: list[Any]) -> None:
    column = column_of(text)
    assert column.dtype == dtype
    assert [None if gone else value for gone, value in zip(column.isna(), column, strict=True)] == values


@pytest.mark.parametrize("text", ["[true, null]", '["x", null]', '[1, "x", null]'])
def test_a_missing_value_is_nan_as_in_csv(text: str) -> None:
    assert isinstance(column_of(text).iloc[-1], float)


def test_a_key_that_a_record_lacks_is_a_missing_value() -> None:
    table = records.from_rows("JSON", [{"a": 1}, {"b": "x"}, {"a": 3, "b": "y"}], check_shape=Payload(b"").check_shape)
    pd.testing.assert_frame_equal(
        table, pd.DataFrame({"a": [1.0, None, 3.0], "b": [None, "x", "y"]}).fillna(float("nan"))
    )


def test_columns_stand_in_the_order_in_which_their_names_first_come() -> None:
    assert records.from_rows(
        "JSON", [{"b": 1}, {"a": 1, "b": 2}, {"c": 1}], check_shape=Payload(b"").check_shape
    ).columns.tolist() == ["b", "a", "c"]


def test_of_a_key_that_comes_twice_the_last_value_counts() -> None:
    assert records.from_rows("JSON", [records.parse("JSON", b'{"a":1,"a":2}')], check_shape=Payload(b"").check_shape)[
        "a"
    ].tolist() == [2]


def test_a_table_without_rows_has_the_type_of_a_csv_without_rows() -> None:
    assert records.from_columns({"a": []}).dtypes.tolist() == pd.read_csv(io.StringIO("a\n")).dtypes.tolist()


def test_the_line_that_is_given_is_the_one_that_is_told() -> None:
    with pytest.raises(InputError, match="at line 12, column 3"):
        records.parse("NDJSON", b"[1x", line=12)


@pytest.mark.parametrize(
    "error",
    [
        SystemError("<built-in function loads> returned a result with an exception set"),
        orjson.JSONDecodeError("Not enough memory to allocate buffer for parsing", "", 0),
    ],
)
def test_a_parser_without_memory_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def loads(data: bytes) -> None:
        raise error

    monkeypatch.setattr(orjson, "loads", loads)
    with pytest.raises(MemoryError):
        records.parse("JSON", b"[1]")


def test_rows_whose_keys_all_differ_are_refused_before_they_are_filled_up() -> None:
    rows = [{f"k{number}": 1} for number in range(1000)]
    with pytest.raises(PayloadTooLarge, match="a table of more than 2000000 bytes"):
        records.from_rows("JSON", rows, check_shape=Payload(b"", limit=2_000_000).check_shape)
    same = [{"k": 1}] * 1000
    assert len(records.from_rows("JSON", same, check_shape=Payload(b"", limit=8000).check_shape)) == 1000
