"""`typeSchema`: which tables hold what is required, and what is said of the others."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import typeschema
from custom_model_runner.data.typeschema import Requirement
from custom_model_runner.errors import SchemaError

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DATES = pd.DataFrame({"when": pd.to_datetime(["2020-01-01", "2021-02-03"])})
SPARSE = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1.5], fill_value=0.0)})
EMPTY = pd.DataFrame({"a": [np.nan, np.nan], "b": [None, None]})
PROSE = pd.DataFrame({"t": [f"a long text {number}" for number in range(4)]})


def csv(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), low_memory=False)


def require(table: pd.DataFrame, field: str, condition: str, *values: str | int) -> list[str]:
    found = typeschema.mismatches(table, (Requirement(field, condition, values),))
    return [str(SchemaError(*pieces)) for pieces in found]


NUMBERS = csv("a,b\n1,0.5\n2,1.5\n")
WHOLE = csv("a,b\n1,2.0\n2,\n")
WORDS = csv("a\nred\nblue\n")
MIXED = csv("a,b\n1,red\n2,blue\n")
TRUTHS = csv("a\ntrue\nfalse\n")
IMAGES = pd.DataFrame({"i": [PIXEL, None, PIXEL]})
DATE_TEXTS = csv("d\n2020-01-01\n31.12.2020 10:00\n")


@pytest.mark.parametrize(
    ("table", "condition", "values"),
    [
        (NUMBERS, "EQUALS", ["NUM"]),
        (NUMBERS, "IN", ["NUM", "CAT"]),
        (NUMBERS, "NOT_IN", ["CAT", "TXT"]),
        (NUMBERS, "NOT_EQUALS", ["DATE"]),
        (TRUTHS, "EQUALS", ["NUM"]),
        (WORDS, "EQUALS", ["CAT"]),
        (WORDS, "EQUALS", ["TXT"]),
        (PROSE, "EQUALS", ["CAT"]),
        (WHOLE, "EQUALS", ["CAT"]),
        (WHOLE, "NOT_IN", ["CAT"]),
        (IMAGES, "EQUALS", ["IMG"]),
        (IMAGES, "NOT_IN", ["CAT", "TXT"]),
        (DATES, "EQUALS", ["DATE"]),
        (DATE_TEXTS, "IN", ["NUM", "DATE"]),
        (SPARSE, "EQUALS", ["NUM"]),
        (EMPTY, "EQUALS", ["DATE"]),
        (EMPTY, "NOT_IN", ["NUM", "CAT"]),
        (MIXED, "EQUALS", ["GEO"]),
        (MIXED, "IN", ["NUM", "GEO"]),
        (MIXED, "NOT_IN", ["COUNT_DICT", "DATE_DURATION"]),
        (NUMBERS.head(0), "EQUALS", ["TXT"]),
    ],
)
def test_columns_of_the_required_types_pass(table: pd.DataFrame, condition: str, values: list[str]) -> None:
    assert require(table, "data_types", condition, *values) == []


@pytest.mark.parametrize(
    ("table", "condition", "values", "found"),
    [
        (MIXED, "EQUALS", ["NUM"], "CAT in column 'b', row 1"),
        (csv("a\n1\n\n2\nx\n3\n"), "EQUALS", ["NUM"], "CAT in column 'a', row 3"),
        (PROSE, "IN", ["NUM", "IMG"], "TXT in column 't', row 1"),
        (csv("a,b\n1,1\n2,1.5\n"), "EQUALS", ["CAT"], "NUM in column 'b', row 2"),
        (WHOLE, "EQUALS", ["TXT"], "NUM in column 'a', row 1; NUM in column 'b', row 1"),
        (pd.DataFrame({"a": [None, "x"]}), "NOT_EQUALS", ["TXT"], "TXT in column 'a', row 2"),
        (WORDS, "NOT_IN", ["TXT", "CAT"], "CAT in column 'a', row 1"),
        (NUMBERS, "NOT_IN", ["NUM", "CAT"], "NUM in column 'a', row 1; NUM in column 'b', row 1"),
        (TRUTHS, "NOT_EQUALS", ["NUM"], "NUM in column 'a', row 1"),
        (DATES, "IN", ["NUM", "CAT"], "DATE in column 'when', row 1"),
        (IMAGES, "EQUALS", ["CAT"], "IMG in column 'i', row 1"),
        (pd.DataFrame({"i": [PIXEL, "no image"]}), "EQUALS", ["IMG"], "CAT in column 'i', row 1"),
        (WORDS, "EQUALS", ["DATE"], "CAT in column 'a', row 1"),
        (pd.DataFrame({"a": [1, "x", 2]}), "EQUALS", ["NUM"], "CAT in column 'a', row 2"),
        (pd.DataFrame({"a": [[1], [2]]}), "IN", ["NUM", "DATE"], "CAT in column 'a', row 1"),
    ],
)
def test_the_first_row_of_each_column_of_another_type_is_named(
    table: pd.DataFrame, condition: str, values: list[str], found: str
) -> None:
    line = f"data_types {condition} {', '.join(values)} is required, found {found}"
    assert require(table, "data_types", condition, *values) == [line]


def test_only_some_of_many_columns_are_named() -> None:
    table = pd.DataFrame({f"c{number}": ["x"] for number in range(10)})
    (line,) = require(table, "data_types", "EQUALS", "NUM")
    assert line.endswith(
        "CAT in column 'c0', row 1; CAT in column 'c1', row 1; CAT in column 'c2', row 1; and in more columns"
    )


@pytest.mark.parametrize(
    ("condition", "values", "passes"),
    [
        ("EQUALS", [2], True),
        ("EQUALS", [3], False),
        ("NOT_EQUALS", [3], True),
        ("NOT_EQUALS", [2], False),
        ("IN", [1, 2], True),
        ("IN", [1, 3], False),
        ("NOT_IN", [0, 3], True),
        ("NOT_IN", [1, 2], False),
        ("GREATER_THAN", [1], True),
        ("GREATER_THAN", [2], False),
        ("LESS_THAN", [3], True),
        ("LESS_THAN", [2], False),
        ("NOT_GREATER_THAN", [2], True),
        ("NOT_GREATER_THAN", [1], False),
        ("NOT_LESS_THAN", [2], True),
        ("NOT_LESS_THAN", [3], False),
    ],
)
def test_the_number_of_columns_is_compared(condition: str, values: list[int], passes: bool) -> None:
    listed = ", ".join(map(str, values))
    expected = [] if passes else [f"number_of_columns {condition} {listed} is required, found 2 columns"]
    assert require(NUMBERS, "number_of_columns", condition, *values) == expected


@pytest.mark.parametrize(
    ("table", "value", "found"),
    [
        (SPARSE, "SUPPORTED", None),
        (SPARSE, "REQUIRED", None),
        (SPARSE, "ALWAYS", None),
        (SPARSE, "DYNAMIC", None),
        (NUMBERS, "FORBIDDEN", None),
        (NUMBERS, "NEVER", None),
        (NUMBERS, "IDENTITY", None),
        (SPARSE, "FORBIDDEN", "sparse data in column 'a'"),
        (SPARSE, "NEVER", "sparse data in column 'a'"),
        (NUMBERS, "REQUIRED", "dense data in column 'a'"),
        (NUMBERS, "ALWAYS", "dense data in column 'a'"),
        (SPARSE.assign(b=1), "REQUIRED", "dense data in column 'b'"),
    ],
)
def test_sparse_data_is_told_from_dense(table: pd.DataFrame, value: str, found: str | None) -> None:
    expected = [f"sparse EQUALS {value} is required, found {found}"] if found else []
    assert require(table, "sparse", "EQUALS", value) == expected


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("FORBIDDEN", "a missing value in column 'b', row 2; a missing value in column 'c', row 1"),
        ("NEVER", "a missing value in column 'b', row 2; a missing value in column 'c', row 1"),
        ("SUPPORTED", None),
        ("DYNAMIC", None),
    ],
)
def test_the_first_missing_value_of_each_column_is_named(value: str, found: str | None) -> None:
    expected = [f"contains_missing EQUALS {value} is required, found {found}"] if found else []
    assert require(csv("a,b,c\n1,x,\n2,,\n"), "contains_missing", "EQUALS", value) == expected


def test_a_table_without_missing_values_passes() -> None:
    assert require(MIXED, "contains_missing", "EQUALS", "FORBIDDEN") == []


def test_columns_of_the_same_name_are_looked_at_each() -> None:
    table = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    (line,) = require(table, "data_types", "EQUALS", "NUM")
    assert line.endswith("found CAT in column 'a', row 1")


def test_each_broken_requirement_has_a_line() -> None:
    requirements = (
        Requirement("data_types", "EQUALS", ("NUM",)),
        Requirement("number_of_columns", "EQUALS", (2,)),
        Requirement("contains_missing", "EQUALS", ("FORBIDDEN",)),
    )
    found = typeschema.mismatches(csv("a,b\n1,x\n,y\n"), requirements)
    assert [str(pieces[0]).split()[0] for pieces in found] == ["data_types", "contains_missing"]
