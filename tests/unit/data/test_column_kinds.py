"""What columns hold, whatever their dtype."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import column_kinds
from custom_model_runner.data.column_kinds import ColumnKind

DAY = datetime.date(2020, 1, 1)


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1, 2], "int64", "INTEGER"),
        ([1, 2], "uint8", "INTEGER"),
        ([1, None], "Int64", "INTEGER"),
        ([1, 2**70], object, "INTEGER"),
        ([1.5, np.nan], "float32", "NUMBER"),
        ([decimal.Decimal("1.5"), None], object, "NUMBER"),
        ([1, 1.5], object, "NUMBER"),
        ([0.0, 1.5], "Sparse[float64]", "NUMBER"),
        ([True], "bool", "BOOLEAN"),
        ([True, None], "boolean", "BOOLEAN"),
        ([True, np.nan], object, "BOOLEAN"),
        (["a", None], object, "TEXT"),
        (["a", None], "string", "TEXT"),
        (["a", None], "category", "TEXT"),
        ([1, 2], "category", "INTEGER"),
        ([pd.Timestamp(DAY)], "datetime64[ns]", "DATE"),
        ([pd.Timestamp(DAY)], "datetime64[ns, UTC]", "DATE"),
        ([DAY, None], object, "DATE"),
        ([pd.Timedelta(1)], "timedelta64[ns]", "DURATION"),
        ([None, np.nan], object, "EMPTY"),
        ([], object, "EMPTY"),
        ([[1], {}], object, "OTHER"),
        ([1, "a"], object, "OTHER"),
        ([b"a"], object, "OTHER"),
        ([1 + 2j], "complex128", "OTHER"),
    ],
)
def test_the_kind_of_a_column(values: list[Any], dtype: Any, kind: str) -> None:
    assert column_kinds.kind_of(pd.Series(values, dtype=dtype)) is ColumnKind[kind]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOLEAN"),
        (np.bool_(True), "BOOLEAN"),
        (1, "INTEGER"),
        (np.int8(1), "INTEGER"),
        (1.5, "NUMBER"),
        (decimal.Decimal(1), "NUMBER"),
        ("a", "TEXT"),
        (DAY, "DATE"),
        (pd.Timestamp(DAY), "DATE"),
        (pd.Timedelta(1), "DURATION"),
        (1 + 2j, "OTHER"),
        ([1], "OTHER"),
    ],
)
def test_the_kind_of_a_value(value: object, kind: str) -> None:
    assert column_kinds.kind_of_value(value) is ColumnKind[kind]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1.0, 1.5, np.nan, np.inf], "float64", [True, False, True, False]),
        ([1, None], "Int64", [True, True]),
        ([True], "bool", [True]),
        (["7", "7.5", "x", None], object, [True, False, False, True]),
        ([0.0, 1.5], "Sparse[float64]", [True, False]),
    ],
)
def test_whole_numbers_are_told_row_by_row(values: list[Any], dtype: Any, expected: list[bool]) -> None:
    assert column_kinds.is_whole(pd.Series(values, dtype=dtype)).tolist() == expected


def test_rows_are_counted_from_zero() -> None:
    assert column_kinds.first(np.array([False, True, True])) == 1
    assert column_kinds.first(np.array([False])) is None


@pytest.mark.parametrize(
    ("values", "wanted", "row"),
    [
        (["1", None, "2.5", "x", "y"], ["NUMBER", "INTEGER"], 3),
        (["1", None, "2.5", "x"], ["INTEGER"], 2),
        ([1.0, np.nan, 2.5], ["INTEGER"], 2),
        (["true", "FALSE", "perhaps"], ["BOOLEAN"], 2),
        ([1, None, "x"], ["TEXT"], 0),
        ([None, "x", 1], ["TEXT"], 2),
        ([None, "x"], ["DATE"], 1),
        (["1", "2"], ["NUMBER"], 0),
        ([None], ["NUMBER"], 0),
    ],
)
def test_the_first_row_of_another_kind_is_found(values: list[Any], wanted: list[str], row: int) -> None:
    kinds = {ColumnKind[name] for name in wanted}
    assert column_kinds.first_unlike(pd.Series(values), kinds) == row


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "int64", False),
        ([1.0, 2.0], "float64", False),
        ([1.0, np.nan], "float32", True),
        ([0.0, 2.0], pd.SparseDtype(float, 0.0), False),
        ([0.0, np.nan], pd.SparseDtype(float, 0.0), True),
        ([1.0, np.nan], pd.SparseDtype(float, np.nan), True),
        ([1, 2], pd.SparseDtype(int, 0), False),
        (["a", "b"], object, False),
        (["a", None], object, True),
        ([None], object, True),
        ([True, np.nan], object, True),
        ([1, None], "Int64", True),
        (["a", None], "string", True),
        (["a", None], "category", True),
        ([], object, False),
        ([], "float64", False),
    ],
)
def test_a_column_knows_whether_it_has_gaps(values: list[Any], dtype: Any, expected: bool) -> None:
    column = pd.Series(values, dtype=dtype)
    assert column_kinds.has_missing(column) is expected
    assert column_kinds.missing(column).any() == expected
