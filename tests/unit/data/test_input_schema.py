"""`inputSchema`: which tables it allows, what is said of the others, and what is inferred from a sample."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_model_runner.data import csv_text, input_schema
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import Pieces, SchemaError

DAY = datetime.datetime(2020, 1, 1)


def csv(text: str, text_columns: frozenset[str] = frozenset()) -> pd.DataFrame:
    return csv_text.read(Payload(text.encode(), text_columns=text_columns))


def schema(required: tuple[str, ...] | None = None, extra: dict[str, Any] | None = None, **types: Any) -> Any:
    properties = {
        name: {"anyOf": [{"type": word} for word in one.split("|")]} if "|" in one else {"type": one} if one else {}
        for name, one in types.items()
    }
    raw = {"type": "object", "properties": properties, "required": list(types) if required is None else list(required)}
    return input_schema.build({**raw, **(extra or {})})


def complaints(table: pd.DataFrame, **facts: Any) -> list[str]:
    return said(input_schema.mismatches(table, schema(**facts)))


def said(mismatches: list[Pieces]) -> list[str]:
    """Return what a message says."""
    return [str(SchemaError(*pieces)) for pieces in mismatches]


@pytest.mark.parametrize(
    ("values", "dtype", "word"),
    [
        ([1, 2], "int64", "integer"),
        ([1.0, 2.0], "float64", "integer"),
        ([1, None], "Int64", "integer|null"),
        ([1.0, np.nan], "float64", "integer|null"),
        ([1, 2], "int8", "number"),
        ([1.5, np.inf], "float32", "number"),
        ([0.0, 1.5], "Sparse[float64]", "number"),
        ([True, False], "bool", "boolean"),
        ([True, None], object, "boolean|null"),
        (["a", ""], object, "string"),
        (["a", None], "string", "string|null"),
        (["a"], "category", "string"),
        ([DAY], "datetime64[ns]", "string"),
        ([datetime.timedelta(1)], "timedelta64[ns]", "string"),
        ([[1], [2, 3]], object, "array"),
        ([{"a": 1}], object, "object"),
        (["[1]"], object, "array"),
        ([None, np.nan], object, "integer|null"),
        ([np.nan], "float64", "string|null"),
        ([np.nan], "float64", "null"),
        (["a", None], object, "string|integer|null"),
        ([1.5, None], object, "string|number|null"),
        ([1, "a", None, [2]], object, ""),
    ],
)
def test_a_column_of_the_type_passes(values: list[Any], dtype: Any, word: str) -> None:
    assert complaints(pd.DataFrame({"a": pd.Series(values, dtype=dtype)}), a=word) == []


@pytest.mark.parametrize(
    ("values", "word", "found"),
    [
        (["1", "x"], "integer", "must be integer, found text in row 2"),
        ([1.0, 1.5], "integer", "must be integer, found a decimal number in row 2"),
        ([1.0, np.inf], "integer", "must be integer, found a decimal number in row 2"),
        ([1.0, np.nan], "integer", "must be integer, found a missing value in row 2"),
        ([1, True, "x"], "integer", "must be integer, found a truth value in row 2"),
        ([1, 2, "x"], "number", "must be number, found text in row 3"),
        ([True], "number", "must be number, found a truth value in row 1"),
        ([1, 0], "boolean", "must be boolean, found a whole number in row 1"),
        (["true", None, "no"], "boolean|null", "must be boolean or null, found text in row 3"),
        ([None, 7], "string|null", "must be string or null, found a decimal number in row 2"),
        ([DAY], "number", "must be number, found a date in row 1"),
        ([1], "array", "must be array, found a whole number in row 1"),
        (["a", None], "string", "must be string, found a missing value in row 2"),
        ([None, 1.0], "null", "must be null, found a decimal number in row 2"),
        ([[1]], "string|number", "must be string or number, found another value in row 1"),
        ([None], "number", "must be number, found a missing value in row 1"),
    ],
)
def test_the_first_row_that_is_wrong_is_named(values: list[Any], word: str, found: str) -> None:
    assert complaints(pd.DataFrame({"a": values}), a=word) == [f"column 'a' {found}"]


def test_one_word_among_numbers_of_a_csv_is_found() -> None:
    assert complaints(csv("a,b\n1,1\n2,2\nthree,3\n"), a="integer", b="integer") == [
        "column 'a' must be integer, found text in row 3"
    ]


def test_a_missing_column_is_named() -> None:
    assert complaints(csv("b\n1\n"), a="integer", b="integer") == ["column 'a' is missing"]


def test_a_misspelt_column_is_told_what_was_meant() -> None:
    assert complaints(csv("petal_widht,b\n1,2\n"), petal_width="integer", b="integer") == [
        "column 'petal_width' is missing (found 'petal_widht', did you mean 'petal_width'?)"
    ]


def test_a_column_that_is_not_required_may_be_left_out_and_may_have_gaps() -> None:
    assert complaints(csv("a\n1\n"), required=("a",), a="integer", b="integer") == []
    assert complaints(csv("a,b\n1,\n2,3\n"), required=("a",), a="integer", b="integer") == []
    assert complaints(csv("a,b\n1,x\n"), required=("a",), a="integer", b="integer") == [
        "column 'b' must be integer, found text in row 1"
    ]


@pytest.mark.parametrize("extra", [{}, {"extraColumns": "keep"}, {"additionalProperties": True}])
def test_further_columns_are_kept(extra: dict[str, Any]) -> None:
    table, wanted = csv("a,b\n1,2\n"), schema(a="integer", extra=extra)
    assert input_schema.mismatches(table, wanted) == []
    assert input_schema.select(table, wanted) is table


def test_further_columns_are_dropped_where_the_schema_says_so() -> None:
    table, wanted = csv("b,a,c\n1,2,3\n"), schema(a="integer", extra={"extraColumns": "drop"})
    assert input_schema.mismatches(table, wanted) == []
    assert input_schema.select(table, wanted).to_dict("list") == {"a": [2]}


def test_a_table_without_further_columns_is_not_copied() -> None:
    table, wanted = csv("a\n1\n"), schema(a="integer", extra={"extraColumns": "drop"})
    assert input_schema.select(table, wanted) is table


@pytest.mark.parametrize("extra", [{"extraColumns": "refuse"}, {"additionalProperties": False}])
def test_further_columns_are_refused_by_name(extra: dict[str, Any]) -> None:
    names = ",".join("abcdefgh")
    assert complaints(csv(f"{names}\n1,2,3,4,5,6,7,8\n"), a="integer", extra=extra) == [
        "unknown columns: 'b', 'c', 'd', 'e', 'f' and 2 more"
    ]


def test_the_first_line_of_a_file_without_header_is_not_shown() -> None:
    found = complaints(csv("secret,5\n1,2\n"), a="integer", b="integer", extra={"extraColumns": "refuse"})
    assert found == ["column 'a' is missing", "column 'b' is missing", "number of unknown columns: 2"]


def test_only_some_of_many_columns_are_named() -> None:
    names = [f"c{number}" for number in range(9)]
    found = complaints(pd.DataFrame([["x"] * 9], columns=names), **dict.fromkeys(names, "integer"))
    assert (len(found), found[-1]) == (6, "and more columns like that")
    gone = complaints(pd.DataFrame({"x": [1]}), **dict.fromkeys(names, "integer"))
    assert (len(gone), gone[-1]) == (6, "4 more columns are missing")


def test_columns_without_names_have_numbers() -> None:
    assert complaints(pd.DataFrame([[1, "x"]]), **{"0": "integer", "1": "integer"}) == [
        "column '1' must be integer, found text in row 1"
    ]


def test_a_table_without_rows_needs_its_columns_only() -> None:
    assert complaints(csv("a\n"), a="integer") == []
    assert complaints(csv("b\n"), a="integer") == ["column 'a' is missing"]


def test_the_columns_that_can_only_be_text_are_known() -> None:
    found = schema(a="string", b="string|null", c="string|integer", d="integer", e="").text_columns
    assert found == {"a", "b"}


def test_text_that_looks_like_numbers_passes_as_text() -> None:
    wanted = schema(code="string", n="integer")
    table = csv("code,n\n007,1\n1e5,2\n", wanted.text_columns)
    assert input_schema.mismatches(table, wanted) == []
    assert table["code"].tolist() == ["007", "1e5"]


def test_types_may_stand_in_a_list() -> None:
    wanted = input_schema.build({"properties": {"a": {"type": ["integer", "null"]}}, "required": ["a"]})
    assert input_schema.mismatches(csv("a,b\n1,1\n,1\n"), wanted) == []


def test_any_of_holds_what_its_parts_hold() -> None:
    one = {"anyOf": [{"type": "integer"}, {"anyOf": [{"type": "boolean"}]}]}
    wanted = input_schema.build({"properties": {"a": one}, "required": ["a"]})
    assert input_schema.mismatches(pd.DataFrame({"a": [True]}), wanted) == []
    assert said(input_schema.mismatches(pd.DataFrame({"a": ["x"]}), wanted)) == [
        "column 'a' must be integer or boolean, found text in row 1"
    ]


def test_a_part_without_types_allows_anything() -> None:
    one = {"anyOf": [{"type": "integer"}, {"description": "whatever"}]}
    wanted = input_schema.build({"properties": {"a": one}, "required": ["a"]})
    assert input_schema.mismatches(pd.DataFrame({"a": ["x"]}), wanted) == []


def test_a_schema_is_inferred_from_a_sample() -> None:
    sample = csv("i,f,t,b,gap,none\n1,0.5,x,true,1,\n2,1,y,false,,\n")
    anything = {"anyOf": [{"type": word} for word in input_schema.TYPES]}
    assert input_schema.infer(sample) == {
        "type": "object",
        "properties": {
            "i": {"type": "integer"},
            "f": {"type": "number"},
            "t": {"type": "string"},
            "b": {"type": "boolean"},
            "gap": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "none": anything,
        },
        "required": ["i", "f", "t", "b", "gap", "none"],
    }


TEXTS = st.text('ab1.e-, \u00e9"', max_size=4)
CELLS = st.one_of(
    st.none(),
    st.timedeltas(),
    st.integers(-5, 2**70),
    st.floats(),
    st.booleans(),
    TEXTS,
    st.datetimes(),
    st.lists(st.none()),
)
COLUMNS = st.dictionaries(TEXTS, st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4)


def test_digits_that_begin_with_a_zero_are_codes() -> None:
    texts = {"code": ["12", "007"], "number": ["0", "0.5"], "date": ["01.02.", "x07"], "gap": [np.nan, "1"]}
    assert input_schema.codes(pd.DataFrame(texts)) == {"code"}


@given(COLUMNS)
def test_a_sample_holds_the_schema_that_is_inferred_from_it(columns: dict[str, list[Any]]) -> None:
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for sample in (table, table.infer_objects()):
        assert input_schema.mismatches(sample, input_schema.build(input_schema.infer(sample))) == []
