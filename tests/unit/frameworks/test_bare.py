"""Rows that reach an estimator without a table: where that is seen to make no difference, and where it stays off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from custom_model_runner.data import csv_rows
from custom_model_runner.data.csv_rows import Rows
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import ScoreNumbers, Scores
from custom_model_runner.data.target import Target
from custom_model_runner.frameworks import bare, sklearn
from custom_model_runner.target_type import TargetType as T

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(RANDOM.standard_normal((60, 3)) * [1.0, 30.0, 1e-3], columns=["a", "b", "c"])
# Its numbers lie in memory column after column, whatever the version of pandas.
TABLE = pd.DataFrame(np.asfortranarray(FRAME), columns=["a", "b", "c"], copy=False)
SIGNAL = FRAME["a"] * 2 + FRAME["b"] / 9
CLASSES = np.where(SIGNAL > 0, "yes", "no")
REGRESSION, BINARY = Target(T.REGRESSION), Target(T.BINARY, ("no", "yes"))
RIDGE = make_pipeline(StandardScaler(), Ridge()).fit(FRAME, SIGNAL)


def rows_of(text: str) -> Rows:
    rows = csv_rows.read(Payload(text.encode()))
    assert rows is not None
    return rows


FRACTIONS = rows_of("a,b,c\n0.5,-12.25,0.001\n-3.125,1e-5,2.5\n")
MIXED = rows_of("a,b,c\n1,-12.25,7\n0,33.0,-1\n")
REORDERED = rows_of("more,c,b,a\n9,0.001,-12.25,0.5\n")


def negated(table: Any) -> Any:
    return -table


@pytest.fixture(autouse=True)
def _a_busy_machine_makes_no_model_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "WORTH_SECONDS", 60.0)


class Own(LinearRegression):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator of a user."""


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (RIDGE, REGRESSION),
        (DecisionTreeRegressor().fit(FRAME, SIGNAL), REGRESSION),
        (KNeighborsRegressor().fit(FRAME, SIGNAL), REGRESSION),
        (VotingRegressor([("a", Ridge()), ("b", LinearRegression())]).fit(FRAME, SIGNAL), REGRESSION),
        (make_pipeline(FunctionTransformer(np.tanh, validate=True), Ridge()).fit(FRAME, SIGNAL), REGRESSION),
        (LinearRegression().fit(FRAME.to_numpy(), SIGNAL), REGRESSION),
        (LogisticRegression().fit(FRAME, CLASSES), BINARY),
        (RandomForestClassifier(n_estimators=3).fit(FRAME, CLASSES), BINARY),
        (GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}, cv=2).fit(FRAME, CLASSES), BINARY),
        (CalibratedClassifierCV(SVC(), cv=2).fit(FRAME, CLASSES), BINARY),
        (IsolationForest(n_estimators=3).fit(FRAME), Target(T.ANOMALY)),
        (
            MultiOutputClassifier(LogisticRegression()).fit(FRAME, np.column_stack([CLASSES == "yes", SIGNAL > 1])),
            Target(T.MULTILABEL, ("x", "y")),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_estimators_predict_the_same_without_a_table(model: Any, target: Target) -> None:
    proved = sklearn.bare(model, target)
    assert proved is not None
    assert proved.numbers is not None
    for rows in (FRACTIONS, MIXED) if not hasattr(model, "feature_names_in_") else (FRACTIONS, MIXED, REORDERED):
        expected = sklearn.score(model, rows.table(), target).values.tolist()
        for scores in (proved.rows(rows), proved.numbers(rows.table()) if rows is not REORDERED else None):
            assert scores is None or scores.values.tolist() == expected
        assert proved.rows(rows) is not None


@pytest.mark.parametrize(
    "model",
    [
        Own().fit(FRAME, SIGNAL),
        make_pipeline(FunctionTransformer(negated), Ridge()).fit(FRAME, SIGNAL),
        make_pipeline(ColumnTransformer([("scaled", StandardScaler(), ["a"])]), Ridge()).fit(FRAME, SIGNAL),
        VotingRegressor([("theirs", Ridge()), ("own", Own())]).fit(FRAME, SIGNAL),
    ],
    ids=["subclass", "function", "names", "part"],
)
def test_estimators_that_might_look_at_the_table_get_one(model: Any) -> None:
    assert sklearn.bare(model, REGRESSION) is None


def test_one_bit_of_difference_keeps_the_table() -> None:
    def by_table(table: pd.DataFrame) -> Scores:
        return sklearn.score(RIDGE, table, REGRESSION)

    def exact(array: Any) -> Scores:
        return Scores(np.asarray(bare.nameless(RIDGE).predict(array)))

    def inexact(array: Any) -> Scores:
        return Scores(np.nextafter(exact(array).values, np.inf))

    assert bare.prove(by_table, exact, names=FRAME.columns, width=3) is not None
    assert bare.prove(by_table, inexact, names=FRAME.columns, width=3) is None


def test_an_array_may_fail_where_a_table_does_not_but_not_always() -> None:
    def by_table(table: pd.DataFrame) -> Scores:
        return sklearn.score(RIDGE, table.fillna(0.0), REGRESSION)

    def by_array(array: Any) -> Scores:
        return Scores(np.asarray(bare.nameless(RIDGE).predict(array)))

    def never(array: Any) -> Scores:
        raise ValueError("an array")

    assert bare.prove(by_table, by_array, names=FRAME.columns, width=3) is not None
    assert bare.prove(by_table, never, names=FRAME.columns, width=3) is None


def test_a_slow_model_is_not_worth_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "WORTH_SECONDS", 0.0)
    assert sklearn.bare(RIDGE, REGRESSION) is None


@pytest.mark.parametrize("text", ["a,b\n1.5,2\n", "a,b,d\n1.5,2,3\n", "A,b,c\n1.5,2,3\n"])
def test_rows_that_lack_a_column_take_a_table(text: str) -> None:
    proved = sklearn.bare(RIDGE, REGRESSION)
    assert proved is not None
    assert proved.rows(rows_of(text)) is None


def test_rows_of_another_width_take_a_table_where_no_names_are_known() -> None:
    proved = sklearn.bare(LinearRegression().fit(FRAME.to_numpy(), SIGNAL), REGRESSION)
    assert proved is not None
    assert proved.rows(rows_of("a,b\n1.5,2\n")) is None


def test_a_model_without_names_shares_all_else_and_leaves_the_first_as_it_was() -> None:
    twin = bare.nameless(RIDGE)
    assert not hasattr(twin, "feature_names_in_")
    assert list(RIDGE.feature_names_in_) == ["a", "b", "c"]
    assert twin.steps[1][1].coef_ is RIDGE.steps[1][1].coef_


def by_numbers(model: Any = RIDGE) -> ScoreNumbers:
    proved = sklearn.bare(model, REGRESSION)
    assert proved is not None
    assert proved.numbers is not None
    return proved.numbers


class OwnFrame(pd.DataFrame):
    """A table of a user."""


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE[:1].copy(),
        TABLE.assign(b=range(60)),
        TABLE.drop(columns="b").assign(b=TABLE["b"] * 2)[["a", "b", "c"]],
        pd.DataFrame(np.arange(6).reshape(2, 3), columns=["a", "b", "c"]).assign(a=[1, 2], c=[3, 4]),
    ],
    ids=["fractions", "row", "mixed", "built", "integers"],
)
def test_tables_of_numbers_are_scored_as_arrays_with_the_same_bits(table: pd.DataFrame) -> None:
    scores = by_numbers()(table)
    assert scores is not None
    assert scores.values.tobytes() == sklearn.score(RIDGE, table, REGRESSION).values.tobytes()


@pytest.mark.parametrize(
    "table",
    [
        TABLE[["a", "b"]],
        TABLE[["b", "a", "c"]],
        TABLE.assign(d=1.0),
        TABLE.set_axis(["a", "b", "b"], axis=1),
        TABLE.set_axis(pd.Index([np.str_("a"), "b", "c"], dtype=object), axis=1),
        TABLE.set_axis(range(3), axis=1),
        TABLE.assign(a="text"),
        TABLE.assign(a=True),
        TABLE.astype(np.float32),
        TABLE.astype("Float64"),
        TABLE.astype(pd.SparseDtype(float, 0.0)),
        OwnFrame(TABLE),
        TABLE.iloc[:, 0],
        TABLE.to_numpy(),
        pd.DataFrame(np.ascontiguousarray(TABLE), columns=["a", "b", "c"], copy=False),
        TABLE[:1],
        pd.concat([TABLE] * 1600),
    ],
    ids=[
        *("short", "order", "more", "twice", "names", "numbers", "text", "truth", "single", "extension", "sparse"),
        *("subclass", "column", "array", "layout", "slice", "large"),
    ],
)
def test_all_other_tables_are_scored_as_they_are(table: Any) -> None:
    assert by_numbers()(table) is None


def test_tables_of_another_width_are_scored_as_they_are_where_no_names_are_known() -> None:
    score = by_numbers(LinearRegression().fit(TABLE.to_numpy(), SIGNAL))
    assert score(TABLE) is not None
    assert score(TABLE[["a", "b"]]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.steps[1][1], "coef_", np.ones(3)),
        lambda model: setattr(model.steps[0][1], "mean_", np.ones(3)),
        lambda model: setattr(model.steps[0][1], "_sklearn_output_config", {"transform": "pandas"}),
        lambda model: model.steps.append(("more", Ridge().fit(np.ones((2, 1)), [0.0, 1.0]))),
        lambda model: model.steps.__setitem__(0, ("other", StandardScaler().fit(FRAME * 2))),
        lambda model: setattr(model.steps[0][1], "feature_names_in_", np.array(["a", "b", "d"], dtype=object)),
        lambda model: delattr(model.steps[0][1], "n_samples_seen_"),
    ],
    ids=["last step", "fact", "output", "longer", "step", "names", "forgotten"],
)
def test_what_code_changes_in_a_model_counts(change: Callable[[Any], None]) -> None:
    model = make_pipeline(StandardScaler(), Ridge()).fit(TABLE, SIGNAL)
    score = by_numbers(model)
    change(model)
    scores = score(TABLE)
    assert scores is None or scores.values.tobytes() == sklearn.score(model, TABLE, REGRESSION).values.tobytes()


def test_a_step_that_works_in_place_does_not_change_the_table() -> None:
    table = TABLE.copy()
    assert by_numbers(make_pipeline(StandardScaler(copy=False), Ridge()).fit(TABLE.copy(), SIGNAL))(table) is not None
    pd.testing.assert_frame_equal(table, TABLE)
