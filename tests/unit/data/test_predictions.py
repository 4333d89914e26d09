"""What a model returned, checked and labelled."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import predictions
from custom_model_runner.data.predictions import Predictions, Scores, from_frame, marshal
from custom_model_runner.data.target import Target
from custom_model_runner.errors import ContractError
from custom_model_runner.target_type import TargetType as T

REGRESSION = Target(T.REGRESSION)
BINARY = Target(T.BINARY, ("no", "yes"))
MULTICLASS = Target(T.MULTICLASS, ("a", "b", "c"))
MULTILABEL = Target(T.MULTILABEL, ("a", "b", "c"))
TEXT = Target(T.TEXT_GENERATION, (), "reply")
SINGLE_COLUMN = [
    REGRESSION,
    Target(T.ANOMALY),
    Target(T.GEO_POINT),
    TEXT,
    Target(T.VECTOR_DATABASE, (), "chunks"),
    Target(T.AGENTIC_WORKFLOW, (), "reply"),
]


def table(result: Predictions) -> tuple[tuple[str, ...], list[list[Any]]]:
    return result.columns, result.values.tolist()


# One value is the probability of the positive label; two are negative, positive.


@pytest.mark.parametrize("values", [np.array([0.9, 0.25]), np.array([[0.9], [0.25]])])
def test_a_single_value_of_a_binary_target_is_the_positive_probability(values: Any) -> None:
    columns, rows = table(marshal(Scores(values), BINARY))
    assert columns == ("no", "yes")
    assert rows == [[pytest.approx(0.1), 0.9], [0.75, 0.25]]


def test_two_values_of_a_binary_target_are_negative_and_positive() -> None:
    assert table(marshal(Scores(np.array([[0.1, 0.9]])), BINARY)) == (("no", "yes"), [[0.1, 0.9]])


def test_unlabelled_probabilities_stand_in_the_order_of_the_labels() -> None:
    assert table(marshal(Scores(np.array([[0.2, 0.3, 0.5]])), MULTICLASS)) == (("a", "b", "c"), [[0.2, 0.3, 0.5]])


def test_labels_of_the_model_keep_the_model_s_order_and_take_the_target_s_spelling() -> None:
    scores = Scores(np.array([[0.9, 0.1]]), ["YES", "No"])
    assert table(marshal(scores, BINARY)) == (("yes", "no"), [[0.9, 0.1]])


def test_labels_of_the_model_can_be_an_array() -> None:
    target, classes = Target(T.BINARY, ("0.0", "1.0")), cast("Any", np.array([1, 0]))
    assert marshal(Scores(np.array([[0.9, 0.1]]), classes), target).columns == ("1.0", "0.0")


def test_other_labels_break_the_contract() -> None:
    with pytest.raises(ContractError, match=r"Expected predictions to have columns \['yes', 'no'\], but encountered"):
        marshal(Scores(np.array([[0.9, 0.1]]), ["yes", "maybe"]), BINARY)


def test_a_single_labelled_column_of_a_binary_target_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match="Expected predictions to have columns"):
        marshal(Scores(np.array([[0.9]]), ["yes"]), BINARY)


@pytest.mark.parametrize(
    ("width", "target", "words"),
    [
        (3, BINARY, "Expected 2 columns of predictions, one per class label, but found 3"),
        (1, MULTICLASS, "Expected 3 columns of predictions, one per class label, but found 1"),
        (2, MULTILABEL, "Expected 3 columns of predictions, one per class label, but found 2"),
        (2, REGRESSION, "Expected one column of predictions for regression, but found 2"),
        (0, TEXT, "Expected one column of predictions for textgeneration, but found 0"),
    ],
)
def test_a_wrong_number_of_columns_breaks_the_contract(width: int, target: Target, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        marshal(Scores(np.zeros((4, width))), target)


@pytest.mark.parametrize("target", SINGLE_COLUMN, ids=lambda target: str(target.type))
def test_the_column_of_a_single_column_target_is_called_predictions(target: Target) -> None:
    frame = pd.DataFrame({"whatever": [1.0, 2.0]})
    assert table(marshal(from_frame(frame, target), target)) == (("Predictions",), [[1.0], [2.0]])


@pytest.mark.parametrize("values", [np.array([1, 2]), np.array([True, False]), np.array(["1", "2.5"], dtype=object)])
@pytest.mark.parametrize("kind", [T.REGRESSION, T.ANOMALY])
def test_numeric_predictions_become_floats(values: Any, kind: T) -> None:
    result = marshal(Scores(values), Target(kind)).values
    assert (result.dtype, result[:, 0].tolist()) == (np.float64, [float(value) for value in values])


@pytest.mark.parametrize("target", [REGRESSION, BINARY])
@pytest.mark.parametrize("value", ["MARKER", {"MARKER": 1}])
def test_predictions_that_are_no_numbers_break_the_contract_and_are_not_shown(target: Target, value: Any) -> None:
    with pytest.raises(ContractError, match="Expected numbers as predictions") as caught:
        marshal(Scores(np.array([[value]], dtype=object)), target)
    assert "MARKER" not in str(caught.value)


def test_text_for_numbers_is_told_to_be_labels() -> None:
    with pytest.raises(ContractError, match="found text, such as labels: a classifier needs another --target-type"):
        marshal(Scores(np.array(["yes", "no"])), REGRESSION)


@pytest.mark.parametrize("value", ["text", ["list"], 5, None])
def test_predictions_of_a_text_target_stay_as_they_are(value: Any) -> None:
    frame = pd.DataFrame({"reply": pd.Series([value, value], dtype=object)})
    assert marshal(from_frame(frame, TEXT), TEXT).values[:, 0].tolist() == [value, value]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0], "Expected predictions as an array, but found list"),
        (np.zeros((2, 2, 2)), r"Expected predictions with 1 or 2 dimensions, but found shape \(2, 2, 2\)"),
        (np.float64(1.0), "Expected predictions as an array, but found float64"),
        (np.array(1.0), r"but found shape \(\)"),
    ],
)
def test_predictions_must_be_an_array_of_one_or_two_dimensions(values: Any, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        marshal(Scores(values), REGRESSION)


@pytest.mark.parametrize("value", [-0.0001, 1.0001, np.inf, -np.inf])
@pytest.mark.parametrize("target", [MULTICLASS, MULTILABEL])
def test_a_value_outside_0_and_1_is_no_probability(value: float, target: Target) -> None:
    with pytest.raises(ContractError, match=r"between 0 and 1, but found others, first in row 2$"):
        marshal(Scores(np.array([[0.2, 0.3, 0.5], [value, 0.5, 0.5]])), target)


@pytest.mark.parametrize("deviation", [0.0, 1e-6, -1e-6])
def test_probabilities_may_miss_a_sum_of_1_by_little(deviation: float) -> None:
    marshal(Scores(np.array([[0.2, 0.3, 0.5 + deviation]])), MULTICLASS)


@pytest.mark.parametrize("deviation", [1e-4, -1e-4, np.nan])
def test_probabilities_that_do_not_add_up_to_1_break_the_contract(deviation: float) -> None:
    with pytest.raises(ContractError, match=r"do not add up to 1 in 1 of 2 rows; .*, first in row 2$"):
        marshal(Scores(np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5 + deviation]])), MULTICLASS)


@pytest.mark.parametrize("row", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.5, np.nan, 0.5]])
def test_probabilities_of_several_labels_at_once_need_not_add_up(row: list[float]) -> None:
    np.testing.assert_array_equal(marshal(Scores(np.array([row])), MULTILABEL).values, [row])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_predictions_than_rows_breaks_the_contract(count: int) -> None:
    with pytest.raises(ContractError, match=f"one prediction per row of input: 2 rows, but {count} predictions"):
        marshal(Scores(np.zeros(count)), REGRESSION, rows=2)


def test_the_right_number_of_predictions_is_accepted() -> None:
    assert len(marshal(Scores(np.zeros(2)), REGRESSION, rows=2)) == 2


def test_no_rows_give_no_predictions() -> None:
    assert table(marshal(Scores(np.zeros((0, 2))), BINARY, rows=0)) == (("no", "yes"), [])


@pytest.mark.parametrize(
    ("target", "columns"), [(REGRESSION, ("Predictions",)), (BINARY, ("no", "yes")), (TEXT, ("Predictions",))]
)
def test_the_predictions_for_nothing_have_the_right_columns(target: Target, columns: tuple[str, ...]) -> None:
    assert table(predictions.nothing(target)) == (columns, [])


# Extra model output.


def extra_of(scores: Scores) -> dict[str, list[Any]]:
    assert scores.extra is not None
    return {str(name): column.tolist() for name, column in scores.extra.items()}


def test_columns_beside_the_labels_are_extra_output() -> None:
    frame = pd.DataFrame({"why": ["x"], "yes": [0.9], "len": [3], "no": [0.1]})
    scores = from_frame(frame, BINARY)
    assert extra_of(scores) == {"why": ["x"], "len": [3]}
    assert table(marshal(scores, BINARY)) == (("yes", "no"), [[0.9, 0.1]])


def test_labels_among_extra_columns_must_be_spelt_exactly() -> None:
    frame = pd.DataFrame({"YES": [0.9], "no": [0.1], "more": [5]})
    with pytest.raises(ContractError, match="Expected predictions to have columns"):
        marshal(from_frame(frame, BINARY), BINARY)


def test_columns_beside_the_predictions_of_a_regression_are_extra_output() -> None:
    scores = from_frame(pd.DataFrame({"low": [0.5], "Predictions": [1.0], "high": [1.5]}), REGRESSION)
    assert extra_of(scores) == {"low": [0.5], "high": [1.5]}
    assert table(marshal(scores, REGRESSION)) == (("Predictions",), [[1.0]])


@pytest.mark.parametrize(("name", "column"), [("reply", "reply"), ('"reply"', "reply"), ('"reply"', '"reply"')])
def test_the_prediction_of_a_text_target_is_the_column_of_its_name(name: str, column: str) -> None:
    target = Target(T.TEXT_GENERATION, (), name)
    scores = from_frame(pd.DataFrame({"tokens": [5], column: ["hello"]}), target)
    assert extra_of(scores) == {"tokens": [5]}
    assert table(marshal(scores, target)) == (("Predictions",), [["hello"]])


@pytest.mark.parametrize(
    ("target", "columns", "wanted"),
    [
        (REGRESSION, ["a", "b"], "Predictions"),
        (Target(T.REGRESSION, (), "a"), ["a", "b"], "Predictions"),
        (Target(T.GEO_POINT, (), "a"), ["a", "b"], "Predictions"),
        (TEXT, ["Predictions", "b"], "reply"),
        (REGRESSION, ["Predictions", "Predictions"], "Predictions"),
    ],
)
def test_several_columns_without_the_one_that_is_wanted_break_the_contract(
    target: Target, columns: list[str], wanted: str
) -> None:
    with pytest.raises(ContractError, match=f"Expected one column named '{wanted}'"):
        from_frame(pd.DataFrame([[1, 2]], columns=columns), target)


def test_extra_output_is_matched_by_position_and_not_by_index() -> None:
    frame = pd.DataFrame({"Predictions": [1.0, 2.0], "why": ["x", "y"]}, index=[7, 3])
    scores = from_frame(frame, REGRESSION)
    assert scores.extra is not None
    assert scores.extra.index.tolist() == [0, 1]
    assert extra_of(scores) == {"why": ["x", "y"]}


def test_extra_output_of_another_length_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match="Expected 2 rows of extra output, but found 1"):
        marshal(Scores(np.zeros(2), None, pd.DataFrame({"a": [1]})), REGRESSION)


def test_extra_output_survives_the_checks() -> None:
    extra = pd.DataFrame({"a": [1]})
    assert marshal(Scores(np.zeros(1), None, extra), REGRESSION).extra is extra


def test_labels_that_are_not_text_are_columns_too() -> None:
    target = Target(T.BINARY, ("0", "1"))
    assert marshal(from_frame(pd.DataFrame({0: [0.1], 1: [0.9]}), target), target).columns == ("0", "1")


def test_a_frame_of_predictions_has_no_extra_columns() -> None:
    result = Predictions(("no", "yes"), np.array([[0.1, 0.9]]), pd.DataFrame({"why": ["x"]}))
    pd.testing.assert_frame_equal(result.frame(), pd.DataFrame({"no": [0.1], "yes": [0.9]}))
