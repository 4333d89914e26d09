"""The object that user code reports with: what it hands over, and what it refuses."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data.report import Report, Samples, Stats
from custom_model_runner.monitoring.mlops import MLOps

FEATURES = pd.DataFrame({"x": [1, 2]})


def reported(method: str, *args: Any, **kwargs: Any) -> Report:
    reports: list[Report] = []
    getattr(MLOps(reports.append, "r1"), method)(*args, **kwargs)
    [report] = reports
    return report


def samples(*args: Any, **kwargs: Any) -> Samples:
    found = reported("report_predictions_data", *args, **kwargs).samples
    assert found is not None
    return found


def refusal(method: str, *args: Any, **kwargs: Any) -> str:
    reports: list[Report] = []
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        getattr(MLOps(reports.append), method)(*args, **kwargs)
    assert reports == []
    return str(caught.value).removeprefix(f"{method}: ")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((3, 1.5), {}),
        ((3,), {"execution_time": 1.5}),
        ((), {"num_predictions": 3, "execution_time_ms": 1.5}),
        ((np.int64(3), np.float32(1.5)), {}),
    ],
    ids=str,
)
def test_stats_are_reported_by_position_and_by_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    before = time.time()
    report = reported("report_deployment_stats", *args, **kwargs)
    assert (report.stats, report.samples, report.request_id) == (Stats(3, 1.5), None, "r1")
    assert before <= report.time <= time.time()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((1.5, 1), "num_predictions is float, expected a whole number from 0 on"),
        ((True, 1), "num_predictions is bool, expected a whole number from 0 on"),
        (("3", 1), "num_predictions is str, expected a whole number from 0 on"),
        ((-1, 1), "num_predictions is -1, expected a whole number from 0 on"),
        ((1, "fast"), "execution_time is str, expected a number from 0 on"),
        ((1, float("nan")), "execution_time is nan, expected a number from 0 on"),
        ((1, -0.5), "execution_time is -0.5, expected a number from 0 on"),
    ],
)
def test_stats_that_are_no_counts_and_times_are_refused(args: tuple[Any, ...], words: str) -> None:
    assert refusal("report_deployment_stats", *args) == words


@pytest.mark.parametrize("times", [{}, {"execution_time": 1, "execution_time_ms": 1}])
def test_stats_need_one_time(times: dict[str, int]) -> None:
    words = refusal("report_deployment_stats", 1, **times)
    assert words == "report_deployment_stats takes num_predictions and one execution_time, in milliseconds"


def test_data_is_reported_by_position_in_the_documented_order() -> None:
    found = samples(FEATURES, [[0.25, 0.75], [1, 0]], ["a", "b"], ["no", "yes"])
    assert found.features is not None
    assert found.features.equals(FEATURES)
    assert found.predictions is not None
    assert found.predictions.tolist() == [[0.25, 0.75], [1, 0]]
    assert (found.association_ids, found.class_names) == (("a", "b"), ("no", "yes"))


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ([1, 2], [1, 2]),
        ((1.5, 2.5), [1.5, 2.5]),
        (np.array([1.5, 2.5]), [1.5, 2.5]),
        (np.array([1.5, 2.5], dtype=object), [1.5, 2.5]),
        (pd.Series([1.5, 2.5]), [1.5, 2.5]),
        (["x", "yy"], ["x", "yy"]),
    ],
    ids=str,
)
def test_predictions_may_be_any_list(predictions: Any, expected: list[Any]) -> None:
    found = samples(predictions=predictions, association_ids=np.array([7, 8]))
    assert found.predictions is not None
    assert (found.predictions.tolist(), found.association_ids) == (expected, (7, 8))


@pytest.mark.parametrize("given", [{"features_df": FEATURES}, {"predictions": [1]}, {"predictions": []}], ids=str)
def test_features_or_predictions_are_enough(given: dict[str, Any]) -> None:
    assert len(samples(**given)) == len(given.popitem()[1])


def test_no_rows_may_have_classes_or_none() -> None:
    assert len(samples(FEATURES[:0], [], [], ["no", "yes"])) == 0
    assert len(samples(FEATURES[:0], np.empty((0, 2)))) == 0


def test_what_is_changed_afterwards_was_reported_as_it_was() -> None:
    features, predictions = FEATURES.copy(), np.array([1.0, 2.0])
    found = samples(features, predictions)
    features.loc[0, "x"] = 99
    predictions[0] = 99
    assert found.features is not None
    assert found.features["x"].tolist() == [1, 2]
    assert found.predictions is not None
    assert found.predictions.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "report_predictions_data needs features_df or predictions, found neither"),
        ({"features_df": [[1]]}, "features_df is list, expected a DataFrame"),
        ({"predictions": "text"}, "predictions is str, expected a list"),
        ({"predictions": 1.5}, "predictions is float, expected a list"),
        ({"predictions": {"a": 1}}, "predictions is dict, expected a list"),
        ({"predictions": [None]}, "predictions hold NoneType, expected numbers, or one text for each row"),
        ({"predictions": [1, "a"]}, "predictions hold int, str, expected numbers, or one text for each row"),
        (
            {"predictions": [["a", "b"]], "class_names": ["x", "y"]},
            "predictions hold str, expected numbers, or one text for each row",
        ),
        ({"predictions": [[1, 2], [1]]}, "the rows of predictions differ in length, expected the same in all"),
        ({"predictions": [[[1]]]}, "predictions hold list, expected numbers, or one text for each row"),
        (
            {"features_df": FEATURES, "predictions": [1]},
            "rows differ in number: features_df 2, predictions 1; expected the same in all",
        ),
        (
            {"features_df": FEATURES, "association_ids": ["a"]},
            "rows differ in number: features_df 2, association_ids 1; expected the same in all",
        ),
        ({"predictions": [1], "association_ids": "a"}, "association_ids is str, expected a list"),
        (
            {"predictions": [1], "association_ids": [1.5]},
            "association_ids hold other things than texts and whole numbers",
        ),
        ({"predictions": [[1, 0]], "class_names": "ab"}, "class_names is str, expected a list"),
        ({"predictions": [[1, 0]], "class_names": [1, 2]}, "class_names hold other things than texts"),
        (
            {"predictions": [[1, 0]], "class_names": ["a"]},
            "1 class_names for 2 values per prediction, expected as many",
        ),
        (
            {"predictions": [[1, 0]]},
            "predictions with one value per class need class_names; found no class_names",
        ),
        (
            {"predictions": [1], "class_names": ["a"]},
            "predictions with one value per class need class_names; found class_names without them",
        ),
    ],
    ids=str,
)
def test_data_that_does_not_fit_together_is_refused(given: dict[str, Any], words: str) -> None:
    assert refusal("report_predictions_data", **given) == words
