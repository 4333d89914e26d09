"""Gaps in columns of objects become NaN, wherever the columns stand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custom_model_runner.data import missing


def test_each_column_keeps_its_place_its_name_and_its_type() -> None:
    table = pd.DataFrame({0: [1, 2], 1: [None, True], 2: [0.5, 1.5], 3: ["x", [1]], 4: [None, 7], 5: [True, False]})
    table[[1, 3, 4]] = table[[1, 3, 4]].astype(object)
    table.columns = pd.Index(["f", "e", "d", "c", "b", "a"])
    table.iloc[0, 4] = None
    read = missing.as_nan(table, lambda column: column[1] == 7)
    assert list(read.columns) == list(table.columns)
    assert [str(dtype) for dtype in read.dtypes] == ["int64", "object", "float64", "object", "float64", "bool"]
    assert read.drop(columns=["e", "b"]).to_numpy().tolist() == [[1, 0.5, "x", True], [2, 1.5, [1], False]]
    assert np.isnan(read["e"][0])
    assert read["e"][1] is True
    assert (np.isnan(read["b"][0]), read["b"][1]) == (True, 7.0)


def test_a_table_without_gaps_is_given_back() -> None:
    table = pd.DataFrame({"a": [1], "b": pd.Series([b"x"], dtype=object)})
    assert missing.as_nan(table) is table


def test_the_given_table_is_not_changed() -> None:
    table = pd.DataFrame({"a": [b"x", None]}, dtype=object)
    missing.as_nan(table)
    assert table["a"][1] is None
