"""What scikit-learn models reveal, and how they score a table."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError, UserCodeError
from custom_model_runner.frameworks import sklearn
from custom_model_runner.target_type import TargetType as T

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
REGRESSION = Target(T.REGRESSION)
LINEAR = LinearRegression().fit(FRAME, [0.5, 1.0, 2.5, 3.0])
# Loads a folder, predicts, and prints what that has imported.
FIRST_CALL = """
import sys
from custom_model_runner import load

predictor = load(sys.argv[1], target_type="regression")
before = set(sys.modules)
predictor.predict(b"a,b\\n1,2\\n")
print(*sorted(set(sys.modules) - before))
"""
TWO_LABELS = np.array([[0, 1], [0, 0], [1, 1], [1, 0]])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LINEAR, Hint(T.REGRESSION)),
        (LogisticRegression().fit(FRAME, ["x", "x", "y", "y"]), Hint(T.BINARY, ("x", "y"))),
        (LogisticRegression().fit(FRAME, [0, 0, 1, 1]), Hint(T.BINARY, ("0", "1"))),
        (LogisticRegression().fit(FRAME, [True, True, False, False]), Hint(T.BINARY, ("False", "True"))),
        (LogisticRegression().fit(FRAME, ["x", "y", "z", "z"]), Hint(T.MULTICLASS, ("x", "y", "z"))),
        (IsolationForest(n_estimators=2).fit(FRAME), Hint(T.ANOMALY)),
        (make_pipeline(OneHotEncoder(), LinearRegression()), Hint(T.REGRESSION)),
        (KMeans(2), None),
        (StandardScaler(), Hint(T.TRANSFORM)),
        (make_pipeline(OneHotEncoder(), StandardScaler()), Hint(T.TRANSFORM)),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_model_reveals_its_target(model: Any, expected: Hint | None) -> None:
    assert sklearn.hint(model) == expected


@pytest.mark.parametrize("wrapper", [MultiOutputClassifier, OneVsRestClassifier])
def test_a_model_of_several_labels_at_once_reveals_a_multilabel_target(wrapper: Any) -> None:
    hint = sklearn.hint(wrapper(LogisticRegression()).fit(FRAME, TWO_LABELS))
    assert hint is not None
    assert hint.type is T.MULTILABEL


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LinearSVC(), Target(T.BINARY, ("a", "b"))),
        (LINEAR, Target(T.MULTICLASS, ("a", "b", "c"))),
        (OneHotEncoder(), REGRESSION),
        (LINEAR, Target(T.VECTOR_DATABASE, (), "x")),
    ],
)
def test_a_model_that_cannot_give_what_the_target_needs_is_refused(model: Any, target: Target) -> None:
    with pytest.raises(LoadError):
        sklearn.check(model, target)


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LINEAR, REGRESSION),
        (LINEAR, Target(T.ANOMALY)),
        (LINEAR, Target(T.GEO_POINT)),
        (LogisticRegression().fit(FRAME, ["a", "a", "b", "b"]), Target(T.BINARY, ("a", "b"))),
        (make_pipeline(OneHotEncoder(), LINEAR), REGRESSION),
    ],
)
def test_a_model_that_can_is_accepted(model: Any, target: Target) -> None:
    sklearn.check(model, target)


@pytest.mark.parametrize(
    "model", [LinearRegression(), make_pipeline(OneHotEncoder(), LinearRegression()), IsolationForest()]
)
def test_a_model_that_was_never_fitted_is_refused(model: Any) -> None:
    with pytest.raises(LoadError, match=r"^(LinearRegression|IsolationForest) was never fitted: fit it before"):
        sklearn.check(model, REGRESSION)


def test_whether_a_model_of_another_author_was_fitted_is_not_asked() -> None:
    class Constant(LinearRegression):  # type: ignore[misc]  # scikit-learn has no types
        pass

    sklearn.check(Constant(), REGRESSION)


def test_labels_that_the_model_does_not_know_are_a_usage_error() -> None:
    model = LogisticRegression().fit(FRAME, ["x", "x", "y", "y"])
    with pytest.raises(
        UsageError, match=r"not those of LogisticRegression: .* \['z', 'x'\], but encountered \['x', 'y'\]"
    ):
        sklearn.check(model, Target(T.BINARY, ("x", "z")))


def test_probabilities_come_with_the_classes_of_the_model() -> None:
    model = LogisticRegression().fit(FRAME, ["x", "x", "y", "y"])
    scores = sklearn.score(model, FRAME, Target(T.BINARY, ("y", "x")))
    assert scores.labels is not None
    assert list(scores.labels) == ["x", "y"]
    np.testing.assert_array_equal(scores.values, model.predict_proba(FRAME))


def test_several_labels_at_once_are_the_probabilities_of_each() -> None:
    model = MultiOutputClassifier(LogisticRegression()).fit(FRAME, TWO_LABELS)
    scores = sklearn.score(model, FRAME, Target(T.MULTILABEL, ("p", "q")))
    first, second = model.predict_proba(FRAME)
    assert scores.labels is None
    np.testing.assert_array_equal(scores.values, np.column_stack([first[:, 1], second[:, 1]]))


@pytest.mark.parametrize(
    "table",
    [FRAME[["b", "a"]], FRAME.assign(c="text"), FRAME.assign(c=1.0)[["c", "b", "a"]]],
    ids=["order", "more", "both"],
)
def test_columns_are_found_by_name_and_others_are_left_out(table: pd.DataFrame) -> None:
    np.testing.assert_array_equal(sklearn.score(LINEAR, table, REGRESSION).values, LINEAR.predict(FRAME))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAME[["a"]].assign(z=1), "lacks 1 of the columns that the model was fitted on: b"),
        (FRAME.assign(b="MARKER"), "columns that are not numeric: b; columns with missing values: none"),
        (FRAME.assign(b=np.nan), "columns that are not numeric: none; columns with missing values: b"),
        (FRAME.assign(b=["0", "1", "MARKER", "3"]), "column b holds numbers, but none in row 3; columns that are not"),
        (FRAME.assign(b=np.inf), "missing values: none; columns with infinite or very large values: b"),
        (FRAME.assign(a=[1.0, -np.inf, 1.0, 1.0]), "large values: a; the first of these values is in row 2"),
    ],
)
def test_a_table_the_model_cannot_use_is_an_input_error_that_names_columns_and_no_data(
    table: pd.DataFrame, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        sklearn.score(LINEAR, table, REGRESSION)
    assert "MARKER" not in str(caught.value)


def test_another_number_of_columns_is_an_input_error() -> None:
    nameless = LinearRegression().fit(FRAME.to_numpy(), [0.5, 1.0, 2.5, 3.0])
    with pytest.raises(InputError, match=r"fitted on 2 columns, found 1$"):
        sklearn.score(nameless, FRAME[["a"]], REGRESSION)


@pytest.mark.parametrize(("sign", "words"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_table_with_another_separator_is_told_so(sign: str, words: str) -> None:
    table: pd.DataFrame = pd.DataFrame({f"a{sign}b": [f"1{sign}2"]})
    with pytest.raises(InputError, match=f"lacks 2 of the columns .*: a, b .*separated by {words}, expected commas"):
        sklearn.score(LINEAR, table, REGRESSION)


def test_a_misspelt_column_is_told_what_it_may_be() -> None:
    model = LinearRegression().fit(FRAME.set_axis(["age", "income"], axis=1), [0.5, 1.0, 2.5, 3.0])
    with pytest.raises(InputError, match=r"fitted on: income \(found 'incom', did you mean 'income'\?\)$"):
        sklearn.score(model, FRAME.set_axis(["age", "incom"], axis=1), REGRESSION)


def test_a_model_fitted_without_names_gets_none_and_does_not_warn() -> None:
    nameless = make_pipeline(StandardScaler(), LinearRegression()).fit(FRAME.to_numpy(), [0.5, 1.0, 2.5, 3.0])
    expected = nameless.predict(FRAME.to_numpy())
    np.testing.assert_array_equal(sklearn.score(nameless, FRAME, REGRESSION).values, expected)


def test_a_function_finds_its_columns_by_name_whatever_it_was_fitted_on() -> None:
    pick = FunctionTransformer(lambda table: table[["b"]])
    model = make_pipeline(pick, LinearRegression())
    model.fit(FRAME, [0.5, 1.0, 2.5, 3.0])
    pick.__dict__.pop("feature_names_in_", None)
    np.testing.assert_array_equal(sklearn.score(model, FRAME, REGRESSION).values, model.predict(FRAME))


@pytest.mark.parametrize(
    ("table", "words"),
    [(FRAME[["a"]][:0], "lacks 1 of the columns that the model was fitted on: b"), (FRAME[:0], None)],
)
def test_the_columns_of_a_table_without_rows_are_checked(table: pd.DataFrame, words: str | None) -> None:
    with pytest.raises(InputError, match=words) if words else nullcontext():
        sklearn.check_columns(LINEAR, table)


def test_the_number_of_columns_is_checked_where_names_are_not_known() -> None:
    nameless = LinearRegression().fit(FRAME.to_numpy(), [0.5, 1.0, 2.5, 3.0])
    with pytest.raises(InputError, match="fitted on 2 columns, found 1"):
        sklearn.check_columns(nameless, FRAME[["a"]][:0])


def test_names_that_the_model_does_not_know_are_not_shown_because_they_may_be_data() -> None:
    nameless = LinearRegression().fit(FRAME.to_numpy(), [0.5, 1.0, 2.5, 3.0])
    table = pd.DataFrame({"MARKER": ["MARKER"], "5": [1.0]})
    with pytest.raises(InputError, match="columns that are not numeric: 0; columns with missing values: none"):
        sklearn.score(nameless, table, REGRESSION)


def test_many_columns_are_not_all_named() -> None:
    wide = pd.DataFrame(np.eye(30), columns=[f"c{number}" for number in range(30)])
    model = LinearRegression().fit(wide, np.arange(30.0))
    with pytest.raises(InputError, match=r"lacks 29 of the columns .*: c1, c2, .* and \d+ more$"):
        sklearn.score(model, wide[["c0"]], REGRESSION)


def test_an_unknown_category_is_an_input_error_that_does_not_show_it() -> None:
    model = make_pipeline(OneHotEncoder(), LinearRegression()).fit(pd.DataFrame({"c": ["x", "y"]}), [1.0, 2.0])
    with pytest.raises(InputError) as caught:
        sklearn.score(model, pd.DataFrame({"c": ["MARKER"]}), REGRESSION)
    assert "MARKER" not in str(caught.value)


def test_a_model_that_was_never_fitted_is_the_author_s_fault() -> None:
    with pytest.raises(UserCodeError, match="LinearRegression raised NotFittedError on 4 rows and 2 columns"):
        sklearn.score(LinearRegression(), FRAME, REGRESSION)


# Tables without rows, whose columns are all there is to check.

NAMED = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0], "c": [1.0, 1.0]})


def selecting(*columns: Any, remainder: str = "drop") -> Any:
    parts = [(str(place), "passthrough", each) for place, each in enumerate(columns)]
    step = ColumnTransformer([*parts, ("gone", "drop", ["b"])], remainder=remainder)
    return make_pipeline(step, LinearRegression()).fit(NAMED, [1.0, 2.0])


@pytest.mark.parametrize(
    ("model", "columns", "words"),
    [
        (LinearRegression().fit(NAMED, [1.0, 2.0]), "cabx", None),
        (LinearRegression().fit(NAMED, [1.0, 2.0]), "ca", "lacks 1 of the columns that the model was fitted on: b"),
        (LinearRegression().fit(NAMED.to_numpy(), [1.0, 2.0]), "xyz", None),
        (LinearRegression().fit(NAMED.to_numpy(), [1.0, 2.0]), "ab", "was fitted on 3 columns, found 2"),
        (selecting(["a"]), "a", None),
        (selecting([0]), "a", None),
        (selecting(slice(0, 1)), "a", None),
        (selecting(["a"]), "bc", "lacks 1 of the columns that the model was fitted on: a"),
        (selecting(["a"], remainder="passthrough"), "a", "lacks 1 of the columns that the model was fitted on: c"),
    ],
)
def test_a_table_has_the_columns_that_the_model_needs(model: Any, columns: str, words: str | None) -> None:
    table = pd.DataFrame(columns=list(columns))
    refusal = nullcontext() if words is None else pytest.raises(InputError, match=words)
    with refusal:
        sklearn.check_columns(model, table)


def test_the_first_call_imports_nothing_so_that_workers_share_all_that_was_imported(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(
        pickle.dumps(make_pipeline(StandardScaler(), LinearRegression()).fit(FRAME, FRAME["a"]))
    )
    command = [sys.executable, "-c", FIRST_CALL, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == []
