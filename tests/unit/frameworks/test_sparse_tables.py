"""Sparse tables in scikit-learn: not filled up where that is not needed, and in bounds where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from custom_model_runner.data import matrices
from custom_model_runner.data.target import Target
from custom_model_runner.errors import InputError, PayloadTooLarge
from custom_model_runner.frameworks import boosters, fitted, matrix, sklearn
from custom_model_runner.target_type import TargetType as T

from ..memory import peak_of

RANDOM = np.random.default_rng(5)
VALUES = RANDOM.normal(size=(40, 4)) * (RANDOM.random((40, 4)) < 0.4)
NAMES = ["a", "b", "c", "d"]
FRAME: pd.DataFrame = pd.DataFrame(VALUES, columns=NAMES)
SPARSE = matrices.table(csr_matrix(VALUES), NAMES)
NAMELESS = matrices.table(csr_matrix(VALUES))
TWO = np.arange(40) % 2
BINARY = Target(T.BINARY, ("0", "1"))
REGRESSION = Target(T.REGRESSION)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=3),
        make_pipeline(MaxAbsScaler(), LogisticRegression()),
        make_pipeline(make_column_transformer((MaxAbsScaler(), ["d", "b"])), LogisticRegression()),
        # These take no sparse tables.
        GaussianNB(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("table", [SPARSE, SPARSE[["d", "c", "b", "a"]], NAMELESS], ids=["names", "order", "no names"])
def test_a_sparse_table_is_scored_as_the_same_table_with_its_zeros(model: Any, table: pd.DataFrame) -> None:
    model.fit(FRAME, TWO)
    np.testing.assert_allclose(sklearn.score(model, table, BINARY).values, model.predict_proba(FRAME), rtol=1e-12)


def test_a_model_that_was_fitted_without_names_takes_a_table_without_names() -> None:
    model = Ridge().fit(csr_matrix(VALUES), TWO)
    np.testing.assert_allclose(sklearn.score(model, NAMELESS, REGRESSION).values, model.predict(csr_matrix(VALUES)))


def test_another_width_is_an_input_error() -> None:
    model = LinearRegression().fit(FRAME, TWO)
    with pytest.raises(InputError, match="fitted on 4 columns, found 3 without names"):
        sklearn.score(model, NAMELESS.iloc[:, :3], REGRESSION)
    with pytest.raises(InputError, match="fitted on 4 columns, found 3"):
        sklearn.score(LinearRegression().fit(VALUES, TWO), NAMELESS.iloc[:, :3], REGRESSION)


def test_gaps_in_a_sparse_table_are_named() -> None:
    holey = VALUES.copy()
    holey[3, 1] = np.nan
    with pytest.raises(InputError, match="columns with missing values: b;"):
        sklearn.score(LinearRegression().fit(FRAME, TWO), matrices.table(csr_matrix(holey), NAMES), REGRESSION)


def wide(rows: int) -> pd.DataFrame:
    """Return a table of a thousand columns with a value in each row."""
    places = (np.arange(rows), np.arange(rows) % 1000)
    return matrices.table(csr_matrix((np.ones(rows), places), (rows, 1000)))


@pytest.mark.parametrize("model", [Ridge(), make_pipeline(MaxAbsScaler(), Ridge())], ids=["Ridge", "Pipeline"])
def test_a_model_that_takes_sparse_tables_needs_no_memory_for_zeros(model: Any) -> None:
    model.fit(csr_matrix(np.eye(1000)), np.arange(1000))
    table = wide(20_000)
    assert peak_of(lambda: sklearn.score(model, table, REGRESSION)) < 20_000 * 1000 * 8 / 10


def test_a_model_that_needs_the_zeros_of_too_large_a_table_is_not_given_them() -> None:
    model = HistGradientBoostingRegressor(max_iter=1).fit(np.eye(1000), np.arange(1000))
    table = wide(300_000)
    with pytest.raises(PayloadTooLarge, match="300000 rows and 1000 columns would take 2288 MiB with its zeros"):
        sklearn.score(model, table, REGRESSION)


def test_a_booster_gets_a_sparse_table_as_a_matrix_and_another_as_it_is() -> None:
    assert (boosters.rows(SPARSE) != csr_matrix(VALUES)).nnz == 0
    assert boosters.rows(FRAME) is FRAME


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_matrix_of_numbers_has_the_zeros(kind: Any) -> None:
    found = matrix.numbers(SPARSE, kind)
    assert (found.dtype, found.tolist()) == (kind, VALUES.astype(kind).tolist())
    assert found.flags.c_contiguous
    assert found.flags.writeable


def test_a_matrix_of_whole_numbers_has_the_zeros() -> None:
    whole = matrices.table(csr_matrix([[0, 3], [5, 0]]))
    assert matrix.numbers(whole, np.int64).tolist() == [[0, 3], [5, 0]]


@pytest.mark.parametrize("kind", [np.float64, np.int64])
def test_a_matrix_of_too_many_zeros_is_not_made(kind: Any) -> None:
    table = wide(300_000)
    with pytest.raises(PayloadTooLarge, match="2288 MiB"):
        matrix.numbers(table, kind)


def test_a_pipeline_before_a_network_fills_its_own_result() -> None:
    class Last:
        """Any network."""

        fit = None

    model = make_pipeline(MaxAbsScaler(), Last())
    model.steps[0][1].fit(FRAME)
    expected = model.steps[0][1].transform(FRAME)
    np.testing.assert_allclose(matrix.prepare(model, SPARSE, np.float64), expected)


def test_only_a_table_without_names_gets_those_of_the_fit() -> None:
    assert list(fitted.named(NAMELESS, NAMES).columns) == NAMES
    assert fitted.named(SPARSE, ["p", "q", "r", "s"]) is SPARSE
    with pytest.raises(InputError, match="fitted on 3 columns, found 4 without names"):
        fitted.named(NAMELESS, NAMES[:3])
