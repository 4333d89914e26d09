"""Where in a table stands what a model does not take."""

from __future__ import annotations

import pandas as pd
import pytest

from custom_model_runner.frameworks import odd_values


@pytest.mark.parametrize("values", [["1", "2", "MARKER", "x"], ["1", None, "MARKER", "3"], [1, 2.5, [3], 4]])
def test_the_first_row_is_told_that_makes_a_column_of_numbers_text(values: list[object]) -> None:
    columns = [("a", pd.Series(values, dtype=object)), ("b", pd.Series(list("wxyz"))), ("c", pd.Series([1, 2, 3, 4]))]
    expected = [] if values[-1] == "x" else ["column a holds numbers, but none in row ", 2, "; "]
    assert odd_values.texts(columns) == expected


def test_the_first_of_several_rows_is_told_unless_there_is_one_alone() -> None:
    columns = [("a", pd.Series([1, None, None])), ("b", pd.Series([None, 2, 3])), ("c", pd.Series([1, 2, 3]))]
    gaps = odd_values.found(columns, lambda column: column.isna().to_numpy())
    assert gaps == {"a": 1, "b": 0}
    assert odd_values.first({"a": 1}, gaps, rows=3)[-1] == 0
    assert odd_values.first(gaps, rows=1) == []
    assert odd_values.first({}, rows=3) == []


def test_integers_that_no_float_holds_are_no_text() -> None:
    assert odd_values.texts([("a", pd.Series([1, 10**400, "x"], dtype=object))]) == []
