"""Rows that reach an estimator without a table: where that is seen to make no difference, and where it stays off."""

from __future__ import annotations

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
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Target
from custom_model_runner.frameworks import bare, sklearn
from custom_model_runner.target_type import TargetType as T

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(RANDOM.standard_normal((60, 3)) * [1.0, 30.0, 1e-3], columns=["a", "b", "c"])
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
    score = sklearn.bare(model, target)
    assert score is not None
    for rows in (FRACTIONS, MIXED) if not hasattr(model, "feature_names_in_") else (FRACTIONS, MIXED, REORDERED):
        scores = score(rows)
        assert scores is not None
        assert scores.values.tolist() == sklearn.score(model, rows.table(), target).values.tolist()


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


def test_a_slow_model_is_not_worth_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "WORTH_SECONDS", 0.0)
    assert sklearn.bare(RIDGE, REGRESSION) is None


@pytest.mark.parametrize("text", ["a,b\n1.5,2\n", "a,b,d\n1.5,2,3\n", "A,b,c\n1.5,2,3\n"])
def test_rows_that_lack_a_column_take_a_table(text: str) -> None:
    score = sklearn.bare(RIDGE, REGRESSION)
    assert score is not None
    assert score(rows_of(text)) is None


def test_rows_of_another_width_take_a_table_where_no_names_are_known() -> None:
    score = sklearn.bare(LinearRegression().fit(FRAME.to_numpy(), SIGNAL), REGRESSION)
    assert score is not None
    assert score(rows_of("a,b\n1.5,2\n")) is None


def test_a_model_without_names_shares_all_else_and_leaves_the_first_as_it_was() -> None:
    twin = bare.nameless(RIDGE)
    assert not hasattr(twin, "feature_names_in_")
    assert list(RIDGE.feature_names_in_) == ["a", "b", "c"]
    assert twin.steps[1][1].coef_ is RIDGE.steps[1][1].coef_
