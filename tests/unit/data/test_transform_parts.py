"""A transformed table as the parts of an answer."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from custom_model_runner.data import matrices, transform_parts
from custom_model_runner.data.transform_parts import ArrowVersion, Part
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import InputError

from ... import matrix_market

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x\ny", 'p"q'], "c": [0.1, None]})
TARGET = pd.DataFrame({"y": [1.5, 2.5]})
SPARSE = matrices.table(csr_matrix([[0.5, 0], [0, 2]]), ["a", "ä"])
# The version of the metadata, in the first message of a stream, is one less than its name.
V4, V5 = 3, 4


def parts(result: Transformed, arrow: ArrowVersion | None = None) -> list[Part]:
    return list(transform_parts.parts(result, arrow))


def test_a_dense_table_is_csv_with_carriage_returns_and_none_at_its_end() -> None:
    assert parts(Transformed(TABLE)) == [
        Part("X.format", b"csv"),
        Part("X.transformed", b'a,b,c\r\n1,"x\ny",0.1\r\n2,"p""q",', is_file=True),
    ]


def test_a_table_of_floats_has_the_same_line_ends() -> None:
    assert parts(Transformed(TARGET))[1].content == b"y\r\n1.5\r\n2.5"


def test_a_table_without_rows_is_its_header() -> None:
    assert parts(Transformed(TABLE.iloc[:0]))[1].content == b"a,b,c"


def test_a_sparse_table_is_a_matrix_and_the_names_of_its_columns() -> None:
    kind, matrix, names = parts(Transformed(SPARSE))
    assert (kind, names) == (Part("X.format", b"sparse"), Part("X.colnames", "a\nä".encode()))
    assert (matrix.name, matrix.is_file) == ("X.transformed", True)
    assert matrix_market.read(matrix.content).toarray().tolist() == [[0.5, 0], [0, 2]]


@pytest.mark.parametrize("table", [TABLE, SPARSE], ids=["dense", "sparse"])
def test_a_target_that_came_along_comes_last_as_csv(table: pd.DataFrame) -> None:
    assert parts(Transformed(table, TARGET))[-2:] == [
        Part("y.format", b"csv"),
        Part("y.transformed", b"y\r\n1.5\r\n2.5", is_file=True),
    ]


def test_a_sparse_target_is_csv_too() -> None:
    assert parts(Transformed(TABLE, SPARSE[["ä"]]))[-1].content == "ä\r\n0.0\r\n2.0".encode()


@pytest.mark.parametrize(("version", "metadata"), [((0, 15), V4), ((0, 19), V4), ((0, 20), V5), ((15, 0), V5)])
def test_a_client_with_arrow_gets_streams_that_its_version_reads(version: ArrowVersion, metadata: int) -> None:
    kind, table, target_kind, target = parts(Transformed(TABLE, TARGET), version)
    assert (kind.content, target_kind.content) == (b"arrow", b"arrow")
    for part, expected in ((table, TABLE), (target, TARGET)):
        # Streams of the new form begin with a marker before the length of the first message.
        assert part.content.startswith(b"\xff\xff\xff\xff") == (metadata == V5)
        read = pa.ipc.open_stream(part.content).read_all().to_pandas()
        pd.testing.assert_frame_equal(read, expected, check_dtype=False)


def test_a_sparse_table_stays_a_matrix_for_a_client_with_arrow() -> None:
    kinds = [part.content for part in parts(Transformed(SPARSE, TARGET), (15, 0)) if part.name.endswith(".format")]
    assert kinds == [b"sparse", b"arrow"]


@pytest.mark.parametrize(
    ("text", "version"),
    [(b"0.15.1", (0, 15)), (b" 15.0\n", (15, 0)), (b"26.0.1.dev2", (26, 0)), (b"0.20", (0, 20))],
)
def test_a_version_is_its_first_two_numbers(text: bytes, version: ArrowVersion) -> None:
    assert transform_parts.arrow_version(text) == version


@pytest.mark.parametrize("text", [b"", b"new", b"15", b"x.1", b"\xff.1", b"99999.1", b"1.2a"])
def test_what_is_no_version_is_an_input_error(text: bytes) -> None:
    with pytest.raises(InputError, match="arrow_version holds no version"):
        transform_parts.arrow_version(text)
