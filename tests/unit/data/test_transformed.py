"""From what a transform model returned to a table one can rely on, and to a file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix, random

from custom_model_runner.data import matrices, matrix_market, transformed
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import ContractError, InputError

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
SPARSE = matrices.table(csr_matrix([[0.5, 0, 0], [0, 0, 2]]), ["a", "b", "c"])


def test_a_table_and_its_target_are_kept_as_they_are() -> None:
    target = pd.DataFrame({"y": [0, 1]})
    result = transformed.check(TABLE, rows=2, target=target)
    pd.testing.assert_frame_equal(result.table, TABLE)
    assert result.target is target
    assert (len(result), result.is_sparse) == (2, False)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_another_number_of_rows_breaks_the_contract(rows: int) -> None:
    with pytest.raises(ContractError, match=f"must keep the rows: {rows} came in, but 2 went out"):
        transformed.check(TABLE, rows=rows)


def test_any_number_of_rows_will_do_where_none_is_known() -> None:
    assert len(transformed.check(TABLE)) == 2


def test_a_table_without_columns_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match="without columns"):
        transformed.check(TABLE[[]], rows=2)


def test_names_become_stripped_text_of_one_line() -> None:
    table = pd.DataFrame([[1, 2, 3, 4]], columns=[0, " a ", "b\nc", ("d", 1)])
    assert list(transformed.check(table).table.columns) == ["0", "a", "b\\nc", "('d', 1)"]


@pytest.mark.parametrize("name", ["", "  ", "\n", "\t"])
def test_a_column_without_a_name_breaks_the_contract(name: str) -> None:
    with pytest.raises(ContractError, match="column 1 has no name"):
        transformed.check(pd.DataFrame([[1, 2]], columns=["a", name]))


def test_a_table_is_sparse_when_all_of_its_columns_leave_out_zeros() -> None:
    assert transformed.check(SPARSE).is_sparse
    assert not transformed.check(SPARSE.assign(d=1)).is_sparse
    fills_gaps = pd.DataFrame({"a": pd.arrays.SparseArray([1.0, np.nan])})
    assert not transformed.check(fills_gaps).is_sparse


def test_rows_of_a_matrix_in_a_column_are_a_sparse_table() -> None:
    rows: pd.DataFrame = pd.DataFrame({"rows": [csr_matrix([[0.5, 0, 0]]), csr_matrix([[0, 0, 2.0]])]})
    result = transformed.check(rows, rows=2)
    assert result.is_sparse
    assert list(result.table.columns) == ["0", "1", "2"]
    assert result.table.to_numpy().tolist() == [[0.5, 0, 0], [0, 0, 2]]


def test_a_sparse_table_is_written_with_its_zeros_as_csv() -> None:
    assert transformed.write(Transformed(SPARSE), "text/csv") == b"a,b,c\n0.5,0.0,0.0\n0.0,0.0,2.0\n"


def test_a_sparse_table_of_many_blocks_is_written_as_one() -> None:
    matrix = random(3000, 1000, 0.001, random_state=0)
    assert matrix.shape[0] * matrix.shape[1] > 2 * matrices.BLOCK_CELLS
    text = transformed.write(transformed.check(matrices.table(matrix)), "text/csv")
    values = np.loadtxt(text.decode().splitlines(), delimiter=",", skiprows=1)
    assert np.array_equal(values, matrix.toarray())


@pytest.mark.parametrize("table", [SPARSE, TABLE[["a"]]], ids=["sparse", "dense"])
def test_a_table_is_written_as_a_matrix(table: pd.DataFrame) -> None:
    text = transformed.write(Transformed(table), "text/mtx")
    assert matrix_market.read(Payload(text)).to_numpy().tolist() == table.to_numpy().tolist()


def test_a_sparse_table_is_written_with_its_zeros_in_formats_that_cannot_leave_them_out() -> None:
    assert transformed.write(Transformed(SPARSE[["a"]]), "application/x-ndjson") == b'{"a":0.5}\n{"a":0.0}\n'


def test_zeros_that_would_not_fit_into_memory_are_an_input_error() -> None:
    huge = matrices.table(csr_matrix((1_000_000, 1_000)))
    with pytest.raises(InputError, match="would take 7629 MiB with its zeros; expected at most 2048"):
        matrices.dense(huge)
