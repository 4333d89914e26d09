"""The lines of a report, as docs/monitoring.md describes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data.report import Report, Samples, Stats
from custom_model_runner.monitoring import json_lines

from .reports import SUBJECT, sampled


def lines(report: Report, dropped: int = 0) -> list[dict[str, Any]]:
    written = list(json_lines.write(report, SUBJECT, dropped=dropped))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in written)
    return [json.loads(line) for line in written]


def values(features: pd.DataFrame) -> Any:
    [record] = lines(Report(0.0, None, samples=Samples(features, None)))
    return record["features"]["values"]


def test_a_call_is_a_line_of_stats_and_a_line_of_data() -> None:
    features = pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": ["x", "é"]})
    samples = Samples(features, np.array([[0.25, 0.75], [1, 0]]), ("no", "yes"))
    common = {
        "time": "2026-01-02T03:04:05.678Z",
        "deployment_id": "the-deployment",
        "model_id": "the-model",
        "request_id": "r1",
    }
    assert lines(Report(1767323045.678, "r1", Stats(2, 1.23456), samples), dropped=7) == [
        {"kind": "deployment_stats", **common, "dropped": 7, "num_predictions": 2, "execution_time_ms": 1.235},
        {
            "kind": "predictions_data",
            **common,
            "dropped": 0,
            "first_row": 0,
            "rows": 2,
            "features": {"columns": ["a", "b", "c"], "values": [[1, 2], [0.5, None], ["x", "é"]]},
            "predictions": [[0.25, 0.75], [1.0, 0.0]],
            "class_names": ["no", "yes"],
            "association_ids": None,
        },
    ]


def test_what_is_not_known_is_null() -> None:
    [record] = lines(Report(0.0, None, samples=Samples(None, np.array([1.5, 2.5]), None, ("a", 7))))
    assert (record["features"], record["predictions"], record["class_names"]) == (None, [1.5, 2.5], None)
    assert (record["association_ids"], record["rows"]) == (["a", 7], 2)


def test_a_long_table_takes_several_lines_that_join_to_the_whole() -> None:
    rows = 2 * json_lines.BYTES_PER_LINE // 8 // 4 + 1
    features = pd.DataFrame({"a": range(rows), "b": range(rows), "c": range(rows)})
    records = lines(Report(0.0, None, samples=Samples(features, np.arange(rows) / 2, None, tuple(range(rows)))))
    assert len(records) == 3
    assert [record["first_row"] for record in records] == [0, records[0]["rows"], 2 * records[0]["rows"]]
    for key, expected in (("predictions", [row / 2 for row in range(rows)]), ("association_ids", list(range(rows)))):
        assert [one for record in records for one in record[key]] == expected
    assert [one for record in records for one in record["features"]["values"][2]] == list(range(rows))


def test_a_wide_row_is_one_line() -> None:
    assert [record["rows"] for record in lines(sampled(2, columns=60_000))] == [1, 1]


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_one_line(rows: int) -> None:
    assert [record["rows"] for record in lines(sampled(rows))] == [rows]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1.5, float("nan"), float("inf")], [1.5, None, None]),
        (np.array([0.1], dtype=np.float32), [0.10000000149011612]),
        (np.array([1, 2], dtype=">i4"), [1, 2]),
        ([True, False], [True, False]),
        ([2**70, 1], [str(2**70), 1]),
        ([["nested", 2**70]], [["nested", str(2**70)]]),
        (pd.Series(["broken \ud800"], dtype=object), ["broken ?"]),
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.Categorical(["x", "y", "x"]), ["x", "y", "x"]),
        (pd.to_datetime(["2026-01-02T03:04:05Z"]), ["2026-01-02T03:04:05+00:00"]),
        (pd.Series(pd.to_datetime(["2026-01-02T03:04:05.5", ""])), ["2026-01-02T03:04:05.500000", None]),
        (pd.Series(pd.to_timedelta(["90s", ""])), [90.0, None]),
        ([np.array([1.5, 2.5])], [[1.5, 2.5]]),
        ([b"bytes"], ["b'bytes'"]),
        ([None, {"a": 1}], [None, {"a": 1}]),
    ],
    ids=str,
)
def test_every_kind_of_column_is_written_in_small_tables_and_in_large_ones(column: Any, expected: list[Any]) -> None:
    table = pd.DataFrame({"x": column})
    assert values(table) == [expected]
    copies = json_lines.SMALL // len(table) + 1
    assert values(pd.concat([table] * copies)) == [expected * copies]


def test_columns_of_one_name_and_names_that_are_no_text_are_kept() -> None:
    [record] = lines(Report(0.0, None, samples=Samples(pd.DataFrame([[1, 2, 3]], columns=["a", "a", 7]), None)))
    assert record["features"] == {"columns": ["a", "a", "7"], "values": [[1], [2], [3]]}


def test_predictions_that_are_text_are_written() -> None:
    [record] = lines(Report(0.0, None, samples=Samples(None, np.array(["a", "b"], dtype=object))))
    assert record["predictions"] == ["a", "b"]
