"""MatrixMarket in, checked against its own size before it is read; MatrixMarket out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import coo_matrix, csr_matrix

from custom_model_runner.data import matrices, matrix_market
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError, PayloadTooLarge

from ..memory import peak_of

BANNER = "%%MatrixMarket matrix coordinate real general\n"
WHOLE = BANNER + "2 3 2\n1 1 0.5\n2 3 -4\n"


def read(text: str, *names: str) -> pd.DataFrame:
    return matrix_market.read(Payload(text.encode(), "text/mtx", column_names=names or None))


def banner(form: str = "coordinate", field: str = "real", symmetry: str = "general") -> str:
    return f"%%MatrixMarket matrix {form} {field} {symmetry}\n"


def test_coordinates_are_a_sparse_table_with_numbers_for_names() -> None:
    table = read(WHOLE)
    assert table.to_numpy().tolist() == [[0.5, 0, 0], [0, 0, -4]]
    assert isinstance(table.columns, pd.RangeIndex)
    assert set(table.dtypes) == {pd.SparseDtype(np.float64, 0.0)}


def test_zeros_that_are_written_down_stay_stored() -> None:
    assert matrices.matrix(read(BANNER + "1 3 2\n1 1 0\n1 2 5\n")).nnz == 2


def test_an_array_is_a_dense_table_read_by_columns() -> None:
    table = read(banner("array") + "2 2\n1\n2\n3\n4.5\n", "a", "b")
    pd.testing.assert_frame_equal(table, pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.5]}))


def test_column_names_are_those_that_came_along() -> None:
    assert list(read(WHOLE, "x", "y z", "ä").columns) == ["x", "y z", "ä"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (banner(field="integer") + "2 2 1\n2 1 -7\n", [[0, 0], [-7, 0]]),
        (banner(field="pattern") + "2 2 2\n1 2\n2 2\n", [[0, 1], [0, 1]]),
        (banner(symmetry="symmetric") + "2 2 2\n1 1 3\n2 1 5\n", [[3, 5], [5, 0]]),
        (banner(symmetry="skew-symmetric") + "2 2 1\n2 1 5\n", [[0, -5], [5, 0]]),
        (banner("array", symmetry="symmetric") + "2 2\n1\n2\n3\n", [[1, 2], [2, 3]]),
        (banner() + "% said by hand\n\n2 1 1\n2 1 1e3\n", [[0], [1000]]),
        (banner().replace("\n", "\r\n") + "2 1 1\r\n2 1 8\r\n", [[0], [8]]),
        (banner().replace("real", "REAL") + "1 1 1\n1 1 8", [[8]]),
        (banner() + "1 2 2\n1 2 8\n1 2 1\n", [[0, 9]]),
        (banner() + "3 2 0\n", [[0, 0]] * 3),
        (banner() + "0 2 0\n", []),
    ],
    ids=[
        "integer",
        "pattern",
        "symmetric",
        "skew",
        "array-symmetric",
        "comments",
        "crlf",
        "case",
        "twice",
        "empty",
        "no-rows",
    ],
)
def test_every_kind_of_real_matrix_is_read(text: str, values: list[list[float]]) -> None:
    assert read(text).to_numpy().tolist() == values


def test_whole_numbers_stay_whole() -> None:
    assert read(banner(field="integer") + "1 1 1\n1 1 9007199254740993\n").iloc[0, 0] == 9007199254740993


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a first line such as '%%MatrixMarket matrix coordinate real general'"),
        ("x,y\n1,2\n", "expected a first line"),
        (BANNER, "expected a first line"),
        (BANNER + "2 x 1\n1 1 1\n", "expected a first line"),
        (BANNER + "-2 2 1\n1 1 1\n", "expected a first line"),
        (BANNER + "2 2\n1 1 1\n", "size line is broken: expected 3 numbers"),
        (BANNER + "2 2 1 1\n1 1 1\n", "size line is broken: expected 3 numbers"),
        (BANNER + f"{10**30} 2 1\n1 1 1\n", "size line is broken: expected 3 numbers that fit"),
        (banner("array") + "2 2 2\n1 1 1\n", "size line is broken: expected 2 numbers"),
        (banner("array", "pattern") + "1 1\n1\n", "an array has values, and its field is 'pattern'"),
        (banner("vector") + "1 1 1\n1 1 1\n", "form is not supported; expected one of: array, coordinate"),
        (banner(field="complex") + "1 1 1\n1 1 1 1\n", "field is not supported; expected one of: double, integer"),
        (banner(symmetry="hermitian") + "1 1 1\n1 1 1\n", "symmetry is not supported; expected one of: general"),
        (banner(symmetry="symmetric") + "2 3 1\n2 1 1\n", "declares 2 x 3, expected as many of both: symmetric"),
        (BANNER + "2 2 2\n1 1 1\n", "declares 2 entries, the body has room for 1"),
        (BANNER + "2 2 3\n1 1 0.25\n2 2 0.25\n", "expected 3 lines of 3 numbers"),
        (BANNER + "2 2 1\n1 1 0.25\n2 2 0.25\n", "expected 1 lines of 3 numbers"),
        (BANNER + "2 2 1\n3 1 1\n", "within its rows and columns"),
        (BANNER + "2 2 1\n1 3 1\n", "within its rows and columns"),
        (BANNER + "2 2 1\n0 1 1\n", "within its rows and columns"),
        (BANNER + f"2 2 1\n1 {10**30} 1\n", "within its rows and columns"),
        (BANNER + "2 2 1\n1 1 secret\n", "its field is 'real', but not all are numbers"),
        (BANNER + "2 2 1\n1 1 1\0\n", "its field is 'real', but not all are numbers"),
        (banner("array") + "1 1\n1\x04", "its field is 'real', but not all are numbers"),
        (BANNER + "2 2 1\n1 1 1 1\n", "its first entry has 4 numbers, expected 3 for 'coordinate real'"),
        (banner(field="pattern") + "2 2 1\n1 1 5\n", "its first entry has 3 numbers, expected 2"),
        (banner(field="integer") + "2 2 2\n1 1 1\n2 1 1.5\n", "its field is 'integer', but not all are whole numbers"),
        (banner(field="integer") + f"2 2 1\n1 1 {2**64}\n", "expected 1 lines of 3 numbers"),
        (banner("array") + "2 2\n1\n2\n3\n", "declares 4 entries, the body has room for 3"),
        (banner("array") + "2 2\n1\n2\n3\n4\n5\n", "expected 4 lines of 1 numbers"),
    ],
)
def test_a_matrix_that_cannot_be_read_is_an_input_error_without_an_echo(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read(text)
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("sizes", "bound"),
    [
        ("1000000000 1000000000 1", "at most 1000000 and 1048576"),
        ("1000001 2 1", "at most 1000000 and 1048576"),
        ("2 1048577 1", "at most 1000000 and 1048576"),
        ("1000000000 2 1000000000", "declares 1000000000 entries"),
        ("999999999999999999 999999999999999999 0", "at most 1000000"),
    ],
)
@pytest.mark.parametrize("form", ["coordinate", "array"])
def test_a_few_bytes_cannot_declare_a_huge_matrix(form: str, sizes: str, bound: str) -> None:
    if form == "array":
        sizes, bound = sizes.rpartition(" ")[0], "entries, the body has room for 3"

    def work() -> None:
        with pytest.raises(InputError, match=bound):
            read(banner(form) + sizes + "\n1 1 1\n")

    assert peak_of(work) < 1_000_000


def test_rows_may_be_empty_up_to_a_million_and_to_ten_for_each_value() -> None:
    assert len(read(BANNER + "1000000 1 1\n1000000 1 5\n")) == 1_000_000
    entries = "".join(f"{10 * row + 1} 1 1\n" for row in range(100_001))
    assert len(read(BANNER + f"1000010 1 100001\n{entries}")) == 1_000_010


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "There are 2 column names for 3 columns"),
        (["a", "b", "c", "d"], "There are 4 column names for 3 columns"),
        (["a", "b", "a"], "Column names are given more than once: a$"),
    ],
)
def test_names_must_be_one_for_each_column_and_different(names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(WHOLE, *names)


NUMBERS = st.one_of(
    arrays.arrays(np.float64, st.tuples(st.integers(0, 6), st.integers(1, 6)), elements=st.floats()),
    arrays.arrays(np.int64, st.tuples(st.integers(0, 6), st.integers(1, 6))),
    arrays.arrays(np.uint64, st.tuples(st.integers(0, 6), st.integers(1, 6))),
)


@settings(max_examples=500)
@given(NUMBERS)
def test_what_is_written_reads_back_the_same(values: np.ndarray[Any, Any]) -> None:
    table = matrices.table(csr_matrix(values))
    again = matrix_market.read(Payload(matrix_market.write(table)))
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.float32])
def test_narrow_types_are_written_by_their_value(kind: type[np.generic]) -> None:
    matrix = coo_matrix(np.array([[0, 1], [1, 0]], dtype=kind))
    again = matrix_market.read(Payload(matrix_market.write(matrices.table(matrix))))
    assert again.to_numpy().tolist() == [[0, 1], [1, 0]]


def test_a_dense_table_is_written_without_its_zeros() -> None:
    table = pd.DataFrame({"a": [0.5, 0.0], "b": [0, 3], "c": [True, False]})
    text = matrix_market.write(table).decode()
    assert "\n2 3 3\n" in text
    assert read(text).to_numpy().tolist() == [[0.5, 0, 1], [0, 3, 0]]


@pytest.mark.parametrize("values", [["x"], [1j], [pd.Timestamp("2020-01-01")]])
def test_what_is_no_real_number_cannot_be_written(values: list[object]) -> None:
    with pytest.raises(ContractError, match="other values than real numbers"):
        matrix_market.write(pd.DataFrame({"a": values}))


def test_more_columns_than_the_limit_has_room_for_are_refused() -> None:
    body = f"{BANNER}1 11 1\n1 1 1\n".encode()
    assert matrix_market.read(Payload(body, limit=11_264)).shape == (1, 11)
    with pytest.raises(PayloadTooLarge, match="has 11 columns, expected at most 10"):
        matrix_market.read(Payload(body, limit=10_240))


@pytest.mark.parametrize("field", ["real", "integer", "unsigned-integer"])
@pytest.mark.parametrize("size", ["0 3", "3 0", "0 0"])
def test_an_array_of_nothing_is_a_table_of_nothing(size: str, field: str) -> None:
    """The library would end the process."""
    rows, columns = map(int, size.split())
    assert read(f"{banner('array', field)}{size}\n").shape == (rows, columns)
    with pytest.raises(InputError, match="expected 0 lines"):
        read(f"{banner('array', field)}{size}\n1\n")


def test_many_lines_of_comments_take_no_memory() -> None:
    body = BANNER.encode() + b"%\n\n" * 300_000 + b"2 3 2\n1 1 0.5\n2 3 -4\n"
    assert matrix_market.read(Payload(body)).shape == (2, 3)
    assert peak_of(lambda: matrix_market.read(Payload(body))) < 3 * len(body)
