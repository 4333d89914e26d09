"""What is told of a call: its size, and copies that stay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from custom_model_runner.data.report import Report, Samples, Stats, snapshot


def write_into_its_array(table: pd.DataFrame) -> None:
    # Newer versions of pandas hand it out as read-only.
    with suppress(ValueError):
        table["x"].to_numpy()[:] = 99.0


CHANGES: dict[str, Callable[[pd.DataFrame], object]] = {
    "a cell": lambda table: table.loc.__setitem__((0, "x"), 99.0),
    "a column": lambda table: table.__setitem__("x", 99.0),
    "a new column": lambda table: table.__setitem__("new", 1),
    "in place": lambda table: table.fillna(99.0, inplace=True),
    "its array": write_into_its_array,
    # It writes into arrays that pandas hands out as read-only.
    "a scaler": lambda table: StandardScaler(copy=False).fit_transform(table),
    "its names": lambda table: setattr(table, "columns", ["a", "b"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_snapshot_stays_when_its_table_changes(change: str) -> None:
    table = pd.DataFrame({"x": [1.0, np.nan], "z": [3.0, 4.0]})
    kept = snapshot(table)
    CHANGES[change](table)
    assert kept is not None
    pd.testing.assert_frame_equal(kept, pd.DataFrame({"x": [1.0, np.nan], "z": [3.0, 4.0]}))


def test_a_snapshot_stays_when_the_memory_behind_it_changes() -> None:
    memory = np.array([[1.0], [2.0]])
    kept = snapshot(pd.DataFrame(memory, columns=["x"], copy=False))
    memory[:] = 0
    assert kept is not None
    assert kept["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "table", [[[1]], None, pd.DataFrame({"x": pd.arrays.SparseArray([0, 1])})], ids=["list", "None", "sparse"]
)
def test_there_is_no_snapshot_of_what_is_no_dense_table(table: Any) -> None:
    assert snapshot(table) is None


def test_a_table_without_columns_has_a_snapshot() -> None:
    kept = snapshot(pd.DataFrame(index=range(3)))
    assert kept is not None
    assert kept.shape == (3, 0)


@pytest.mark.parametrize(
    ("samples", "rows", "numbers"),
    [
        (Samples(pd.DataFrame(np.zeros((4, 3))), np.zeros((4, 2))), 4, 20),
        (Samples(None, np.zeros(4)), 4, 4),
        (Samples(pd.DataFrame(np.zeros((4, 3))), None), 4, 12),
    ],
    ids=["both", "predictions", "features"],
)
def test_a_report_weighs_what_its_parts_do_or_what_they_are_as_text(samples: Samples, rows: int, numbers: int) -> None:
    assert (len(samples), Report(0.0, None, samples=samples).weight) == (rows, 8 * numbers)
    assert Report(0.0, None, samples=samples, size=1000).weight == 1000


def test_stats_alone_weigh_nothing() -> None:
    assert Report(0.0, None, Stats(1, 1.0), size=1000).weight == 0
