"""A deployment's answers: one object for each row, for every type of target."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import answers, deployment
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.target import Target
from custom_model_runner.deployment_config import DeploymentConfig
from custom_model_runner.errors import ContractError, UsageError
from custom_model_runner.target_type import TargetType

BINARY = Target(TargetType.BINARY, ("no", "yes"))
COLOURS = Target(TargetType.MULTICLASS, ("red", "green", "blue"))
TAGS = Target(TargetType.MULTILABEL, ("wet", "cold", "dark"))
SINGLE = [kind for kind in TargetType if kind not in (TargetType.BINARY, TargetType.MULTICLASS, TargetType.MULTILABEL)]


def single(values: list[Any], extra: pd.DataFrame | None = None) -> Predictions:
    return Predictions(("Predictions",), pd.DataFrame({"x": values}).to_numpy(), extra)


def rows(predictions: Predictions, target: Target, config: DeploymentConfig | None = None) -> list[dict[str, Any]]:
    body = json.loads(deployment.writer(config or DeploymentConfig(), target)(predictions))
    assert list(body) == ["data"]
    found: list[dict[str, Any]] = body["data"]
    return found


def labelled(row: dict[str, Any]) -> list[tuple[str, float]]:
    return [(entry["label"], entry["value"]) for entry in row["predictionValues"]]


def test_a_number_is_the_prediction_and_the_value_under_the_target_s_name() -> None:
    config = DeploymentConfig(TargetType.REGRESSION, "price")
    assert rows(single([1.5, float("nan")]), Target(TargetType.REGRESSION), config) == [
        {"rowId": 0, "prediction": 1.5, "predictionValues": [{"label": "price", "value": 1.5}]},
        {"rowId": 1, "prediction": None, "predictionValues": [{"label": "price", "value": None}]},
    ]


def test_the_name_comes_from_the_config_then_from_the_model_then_from_the_column() -> None:
    named = Target(TargetType.REGRESSION, name="of the model")
    assert labelled(rows(single([1.0]), named, DeploymentConfig(name="of the config"))[0])[0][0] == "of the config"
    assert labelled(rows(single([1.0]), named)[0])[0][0] == "of the model"
    assert labelled(rows(single([1.0]), Target(TargetType.REGRESSION))[0])[0][0] == "Predictions"


def test_an_anomaly_s_value_has_a_label_of_its_own() -> None:
    found = rows(single([0.25]), Target(TargetType.ANOMALY), DeploymentConfig(name="fraud"))
    assert found == [{"rowId": 0, "prediction": 0.25, "predictionValues": [{"label": "Anomaly Score", "value": 0.25}]}]


def test_a_binary_row_is_positive_strictly_above_the_threshold() -> None:
    positive = np.array([0.3, 0.30000000000000004, 0.9])
    predictions = Predictions(("no", "yes"), np.column_stack([1 - positive, positive]))
    config = DeploymentConfig(threshold=0.3)
    assert [row["prediction"] for row in rows(predictions, BINARY, config)] == ["no", "yes", "yes"]
    assert rows(predictions, BINARY, config)[2] == {
        "rowId": 2,
        "prediction": "yes",
        "predictionThreshold": 0.3,
        "predictionValues": [{"label": "yes", "value": 0.9}, {"label": "no", "value": 1 - 0.9}],
    }


def test_the_order_of_a_model_s_columns_changes_nothing() -> None:
    one = Predictions(("no", "yes"), np.array([[0.25, 0.75]]))
    other = Predictions(("yes", "no"), np.array([[0.75, 0.25]]))
    assert rows(one, BINARY) == rows(other, BINARY)


def test_the_class_mapping_says_which_label_is_positive_and_how_labels_are_written() -> None:
    predictions = Predictions(("no", "yes"), np.array([[0.75, 0.25]]))
    (row,) = rows(predictions, BINARY, DeploymentConfig(labels=("YES", "No")))
    assert row["prediction"] == "No"
    assert labelled(row) == [("No", 0.75), ("YES", 0.25)]


def test_the_first_class_of_the_mapping_with_the_greatest_value_is_predicted() -> None:
    predictions = Predictions(("red", "green", "blue"), np.array([[0.4, 0.2, 0.4], [0.1, 0.8, 0.1]]))
    assert [row["prediction"] for row in rows(predictions, COLOURS)] == ["red", "green"]
    first, second = rows(predictions, COLOURS, DeploymentConfig(labels=("blue", "red", "green")))
    assert [first["prediction"], second["prediction"]] == ["blue", "green"]
    assert labelled(first) == [("blue", 0.4), ("red", 0.4), ("green", 0.2)]
    assert "predictionThreshold" not in first


def test_every_label_strictly_above_the_threshold_is_predicted() -> None:
    values = np.array([[0.5, 0.6, 0.7], [0.1, 0.2, 0.5], [float("nan"), 0.0, 1.0]])
    found = rows(Predictions(("wet", "cold", "dark"), values), TAGS, DeploymentConfig(labels=("dark", "wet", "cold")))
    assert [row["prediction"] for row in found] == [["dark", "cold"], [], ["dark"]]
    assert labelled(found[0]) == [("dark", 0.7), ("wet", 0.5), ("cold", 0.6)]
    assert [row["predictionThreshold"] for row in found] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("kind", [kind for kind in SINGLE if kind not in (TargetType.REGRESSION, TargetType.ANOMALY)])
@pytest.mark.parametrize("value", ["a, b", ["x", ["y"]], None, 7, 0.1, "100% \u00e9"])
def test_texts_lists_and_whatever_else_are_both_prediction_and_value(kind: TargetType, value: Any) -> None:
    found = rows(single([value, "other"]), Target(kind, name="answer"))
    assert found[0] == {"rowId": 0, "prediction": value, "predictionValues": [{"label": "answer", "value": value}]}
    assert found[1]["prediction"] == "other"


def test_extra_output_stands_in_each_row_as_in_a_plain_answer() -> None:
    extra = pd.DataFrame(
        {
            "why": ["age", None],
            "10%": [1 / 3, float("inf")],
            "when": pd.to_datetime(["2024-01-01", "NaT"]),
            "many": [[1, 2], []],
            "sure": [True, False],
        }
    )
    predictions = single([1.0, 2.0], extra)
    plain = json.loads(answers.to_json(predictions))["extraModelOutput"]
    found = [row["extraModelOutput"] for row in rows(predictions, Target(TargetType.REGRESSION))]
    assert found == [dict(zip(plain["columns"], row, strict=True)) for row in plain["data"]]
    assert found[0] == {"why": "age", "10%": 1 / 3, "when": 1704067200000, "many": [1, 2], "sure": True}


def test_extra_columns_of_one_name_would_hide_one_another() -> None:
    extra = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ContractError, match=r"different names, but found \['a'\] more than once"):
        rows(single([1.0], extra), Target(TargetType.REGRESSION))


@pytest.mark.parametrize("target", [Target(TargetType.REGRESSION), BINARY, COLOURS, TAGS, Target(TargetType.GEO_POINT)])
def test_no_rows_are_an_empty_list(target: Target) -> None:
    columns = target.labels or ("Predictions",)
    assert rows(Predictions(columns, np.empty((0, len(columns)))), target) == []


def test_digits_are_those_of_a_plain_answer() -> None:
    values = np.array([1e-5, 1e16, 0.1 + 0.2, -0.0, 5e-324, 1 / 3, 1.7976931348623157e308]).reshape(-1, 1)
    predictions = Predictions(("Predictions",), values)
    plain = answers.to_json(predictions).removeprefix(b'{"predictions":[').removesuffix(b"]}").split(b",")
    body = deployment.writer(DeploymentConfig(), Target(TargetType.REGRESSION))(predictions)
    assert [part.split(b",")[0] for part in body.split(b'"prediction":')[1:]] == plain
    assert [part.split(b"}")[0] for part in body.split(b'"value":')[1:]] == plain


def test_labels_that_need_escaping_are_escaped() -> None:
    odd = Target(TargetType.BINARY, ('5 "%d" é', "\\n%b"))
    predictions = Predictions(odd.labels, np.array([[0.25, 0.75]]))
    assert labelled(rows(predictions, odd)[0]) == [("\\n%b", 0.75), ('5 "%d" é', 0.25)]


@pytest.mark.parametrize("labels", [("yes", "maybe"), ("yes",), ("no", "yes", "other")])
def test_a_class_mapping_must_name_the_model_s_labels(labels: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"class_mapping .*, but those of the model are \['no', 'yes'\]"):
        deployment.writer(DeploymentConfig(labels=labels), BINARY)


def test_a_class_mapping_for_a_model_without_labels_is_a_contradiction() -> None:
    with pytest.raises(UsageError, match="a model of target type 'regression' has no labels"):
        deployment.writer(DeploymentConfig(labels=("a", "b")), Target(TargetType.REGRESSION))


def test_another_type_than_the_model_s_is_a_contradiction() -> None:
    with pytest.raises(UsageError, match=r"deployment config \(regression\) and that of the model \(binary\) differ"):
        deployment.writer(DeploymentConfig(TargetType.REGRESSION), BINARY)
