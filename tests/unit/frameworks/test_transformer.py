"""What makes one table of another by scikit-learn's conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, OneHotEncoder, StandardScaler

from custom_model_runner.data import matrices, sparse
from custom_model_runner.errors import ContractError, InputError, LoadError
from custom_model_runner.frameworks import transformer

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
SCALER = StandardScaler().fit(FRAME)


def transform(model: Any, table: pd.DataFrame = FRAME) -> pd.DataFrame:
    return transformer.transform(model, table, transformer.names(model))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (SCALER, True),
        (make_pipeline(StandardScaler(), PCA()), True),
        (LogisticRegression(), False),
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        ({"transform": 1}, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_has_a_transform_method_is_a_transformer(model: Any, expected: bool) -> None:
    assert transformer.is_transformer(model) is expected


def test_a_table_has_the_values_and_the_names_that_the_transformer_gives() -> None:
    expected: pd.DataFrame = pd.DataFrame(SCALER.transform(FRAME), columns=["a", "b"])
    pd.testing.assert_frame_equal(transform(SCALER), expected)


def test_names_that_nobody_tells_are_numbers() -> None:
    model = FunctionTransformer(lambda table: table.to_numpy() * 2).fit(FRAME)
    made = transform(model)
    assert isinstance(made.columns, pd.RangeIndex)
    assert made.to_numpy().tolist() == (FRAME.to_numpy() * 2).tolist()


def test_one_that_was_never_fitted_is_refused() -> None:
    with pytest.raises(LoadError, match="StandardScaler was never fitted"):
        transformer.names(StandardScaler())


def test_one_that_needs_no_fit_transforms_without() -> None:
    assert transformer.names(Normalizer()) is None
    assert transform(FunctionTransformer(np.negative)).to_numpy().tolist() == (-FRAME.to_numpy()).tolist()


def test_names_of_another_number_are_not_used() -> None:
    class First:
        """Tells more names than it makes columns."""

        def transform(self, table: pd.DataFrame) -> Any:
            return table.to_numpy()[:, :1]

        def get_feature_names_out(self) -> list[str]:
            return ["a", "b"]

    model = First()
    assert transformer.names(model) == ("a", "b")
    assert isinstance(transform(model).columns, pd.RangeIndex)


def test_a_data_frame_keeps_its_names_and_types() -> None:
    model = FunctionTransformer(lambda table: table.astype({"a": int}).assign(c="x")).fit(FRAME)
    assert transform(model).dtypes.to_dict() == FRAME.astype({"a": int}).assign(c="x").dtypes.to_dict()


def test_a_sparse_matrix_is_a_sparse_table() -> None:
    model = OneHotEncoder().fit(FRAME[["b"]])
    made = transform(model, FRAME[["b"]])
    assert sparse.is_sparse(made)
    assert list(made.columns) == ["b_0.0", "b_1.0"]
    assert made.to_numpy().tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]


def test_columns_are_put_into_the_order_of_the_fit() -> None:
    mixed = FRAME[["b", "a"]].assign(other="x")
    pd.testing.assert_frame_equal(transform(SCALER, mixed), transform(SCALER))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="lacks 1 of the columns that the model was fitted on: b"):
        transform(SCALER, FRAME[["a"]])


def test_columns_that_cannot_be_used_are_named() -> None:
    with pytest.raises(InputError, match=r"StandardScaler cannot use the input .*not numeric: a;"):
        transform(SCALER, FRAME.assign(a="secret"))


@pytest.mark.parametrize(
    ("made", "shape"), [(np.ones(4), r"\(4,\)"), (np.ones((4, 1, 1)), r"\(4, 1, 1\)"), ([1, 2, 3, 4], "None")]
)
def test_what_is_no_table_breaks_the_contract(made: Any, shape: str) -> None:
    with pytest.raises(ContractError, match=f"made (ndarray|list) of shape {shape}, expected a DataFrame"):
        transform(FunctionTransformer(lambda _: made).fit(FRAME))


def test_no_rows_give_the_columns_without_rows() -> None:
    made = transform(SCALER, FRAME.iloc[:0])
    assert (made.shape, list(made.columns)) == ((0, 2), ["a", "b"])


def test_no_rows_of_other_columns_are_an_input_error() -> None:
    with pytest.raises(InputError, match="lacks 1 of the columns that the model was fitted on: b"):
        transform(SCALER, FRAME[["a"]][:0])


def test_no_rows_are_an_input_error_where_the_columns_are_not_known() -> None:
    with pytest.raises(InputError, match="no rows"):
        transform(FunctionTransformer(lambda table: table).fit(FRAME), FRAME.iloc[:0])


def test_a_sparse_table_is_transformed_as_it_is() -> None:
    matrix = csr_matrix(FRAME.to_numpy())
    model = ColumnTransformer([("keep", "passthrough", ["b"])]).fit(FRAME)
    made = transform(model, matrices.table(matrix, ["a", "b"]))
    assert made.to_numpy(float).tolist() == FRAME[["b"]].to_numpy().tolist()


def test_an_estimator_is_none() -> None:
    assert not transformer.is_transformer(LinearRegression())
