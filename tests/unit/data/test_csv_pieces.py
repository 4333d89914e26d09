"""Large CSV texts read in pieces: always what pandas makes of the whole, or nothing."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_model_runner.data import csv_pieces, csv_text
from custom_model_runner.data.payload import WIDE, Payload

TOKENS = [
    *("0", "1", "-7", "+5", "-0", "-00", "00", "9007199254740993", "-9223372036854775808", "9223372036854775808"),
    *("18446744073709551615", "18446744073709551616", "1.5", "-0.0", "0.1", "1e300", "-1e-320", "1.", ".5", "1e5"),
    *("", "NA", "nan", "-nan", "inf", "-inf", " 3", "4 ", " -0 ", "True", "FALSE", "text", "0x1F", "1_0", "2020-01-01"),
    *("12345678901234567890.5", "0.30000000000000004", "99999999999999999", '"1"', '"1\n2"'),
]


@pytest.fixture(autouse=True, scope="module")
def _pieces_are_small() -> object:
    """Cut texts of a few rows into several pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_pieces, "LEAST_BYTES", 0)
        patch.setattr(csv_pieces, "PIECE", 12)
        patch.setattr(csv_pieces, "PIECE_OF_COLUMN", 1)
        yield


def whole(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), low_memory=False)


def assert_same(found: pd.DataFrame, data: bytes) -> None:
    """Compare all that can be told of two tables: also signs of zeros, and how their numbers lie in memory."""
    expected = whole(data)
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_index_type=True, check_column_type=True)
    for name in expected:
        assert found[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes()
    assert found.to_numpy().flags.f_contiguous == expected.to_numpy().flags.f_contiguous


def columns() -> st.SearchStrategy[list[list[str]]]:
    """Return rows, each column of which has only a few of the tokens."""
    pools = st.lists(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=3), min_size=2, max_size=3)
    return pools.flatmap(
        lambda found: st.lists(st.tuples(*map(st.sampled_from, found)).map(list), min_size=1, max_size=12)
    )


@given(columns(), st.sampled_from(["\n", "\r\n"]), st.booleans())
@example([["1", "0"], ["2", "-0"], ["3", "1.5"]], "\n", True)
@example([["1", "-0"], ["2", ""], ["3", "1.5"]], "\n", True)
@example([["1", "9007199254740993"], ["2", "1.5"]], "\n", True)
def test_what_is_read_in_pieces_is_what_pandas_reads(rows: list[list[str]], end: str, has_end: bool) -> None:
    header = ",".join(f"column {place}" for place in range(len(rows[0])))
    data = end.join([header, *map(",".join, rows)]).encode() + end.encode() * has_end
    found = csv_pieces.read(data)
    if found is not None:
        assert_same(found, data)


@given(columns())
@example([["1", "-0"], ["2", ""], ["3", "2"], ["4", "1.5"], ["5", ""]])
def test_what_each_piece_is_used_for_adds_up_to_the_whole(rows: list[list[str]]) -> None:
    header = ",".join(f"column {place}" for place in range(len(rows[0])))
    data = "\n".join([header, *map(",".join, rows)]).encode()
    found = csv_pieces.each(data, lambda table: table)
    if found is not None:
        expected = whole(data)
        assert all(list(table.dtypes) == list(expected.dtypes) for table in found)
        for name in expected:
            # Bytes have the signs of zeros as well.
            joined = np.concatenate([table[name].to_numpy() for table in found])
            assert joined.tobytes() == expected[name].to_numpy().tobytes()


LINES = 40


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n" + b"1.5,2.5\n" * LINES,
        b"a,b\n" + b"1,2\n" * LINES,
        b"a,b,c\n" + b"1,2.5,True\n" * LINES,
        b"a,b\n" + b"1,2.5\n" * LINES + b"1,2.5",
        b"a,b\r\n" + b"1,2.5\r\n" * LINES,
        b"\xef\xbb\xbfa,b\n" + b"1,2.5\n" * LINES,
        b'"a","b, ""c"""\n' + b"1,2.5\n" * LINES,
        b"a,,a\n" + b"1,2.5,3\n" * LINES,
        b"a,b\n" + b"1,2.5\n" * LINES + b"\n\n" + b"1,2.5\n" * LINES + b"\n",
        b"a,b\n" + b"1,2.5\n" * LINES + b"1\n",
        b"a,b\n" + b"1,2.5\n" * LINES + b"1,\n" + b"1,2.5\n" * LINES,
        b"a,b\n" + b"1,2\n" * LINES + b"1,\n" + b"1,2\n" * LINES,
        b"a,b\n" + b"1,0\n" * LINES + b"1,0.5\n",
        b"a,b\n" + b"1,1.5\n" * LINES + b"1,2\n",
        b"a,b\n" + b"1,1\n" * LINES + b"1.5,2.5\n",
        b"a,b\n" + b"1,\n" * LINES + b"1,0.5\n",
        b"a,b\n" + b"1,9007199254740993\n" * LINES,
        b"a,b\n" + b"1.5,1e300\n" * LINES,
        b"a,b\n" + b"1.5,-0\n" * LINES,
        b"a,b\n" + b"1," + b"0" * 30 + b"2\n" + b"1,2\n" * LINES,
    ],
)
def test_tables_of_numbers_are_read_in_pieces(data: bytes) -> None:
    found = csv_pieces.read(data)
    assert found is not None
    assert_same(found, data)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n",
        b"a\n" + b"1\n" * LINES,
        b"a,b\n" + b"1,x\n" * LINES,
        b"a,b\n" + b"1,2\n" * LINES + b"1,x\n",
        b"a,b\n" + b"1,True\n" * LINES + b"1,\n",
        b"a,b\n" + b"1,True\n" * LINES + b"1,2\n",
        b"a,b\n" + b"1,-0\n" * LINES + b"1,0.5\n",
        b"a,b\n" + b"1,-0\n1,\n" * LINES + b"1,0.5\n",
        b"a,b\n" + b"1,9007199254740993\n" * LINES + b"1,0.5\n",
        b"a,b\n" + b"1,9007199254740993\n" * LINES + b"1,\n",
        b"a,b\n" + b"1,inf\n" * LINES + b"1,\n",
        b"a,b\n" + b"1,9223372036854775808\n" * LINES,
        b"a,b\n" + b"1,2\n" * LINES + b"1,18446744073709551616\n",
        b'a,b\n"1",2\n' + b"1,2\n" * LINES,
        b'"a\nc",b\n' + b"1,2\n" * LINES,
        b"a,b\r" + b"1,2\r" * LINES,
        b"a,b\n" + b"1,2\n" * LINES + b"1,2\r1,2\n",
        b"a,b\n" + b"1,2\n" * LINES + b"1,2,3\n",
        b"a,b\n" + b"1,2,3\n" * LINES,
        b"\na,b\n" + b"1,2\n" * LINES,
        b"a,b\n" + b"\n" * LINES + b"1,2\n",
        b"\xff,b\n" + b"1,2\n" * LINES,
        b"a,b\n" + b"1,\xff\n" * LINES,
    ],
)
def test_what_takes_a_look_at_the_whole_is_left_to_pandas(data: bytes) -> None:
    assert csv_pieces.read(data) is None


@pytest.mark.parametrize("row", [b"1.5,text", b"1,2.5", b"1.5,2.5,3", b'"1.5",2.5', b"1.5,\xff"])
def test_pieces_are_not_used_where_their_rows_could_differ_from_those_of_the_whole(row: bytes) -> None:
    data = b"a,b\n" + b"1.5,2.5\n" * LINES + row + b"\n" + b"1.5,2.5\n" * LINES
    assert csv_pieces.each(data, len) is None


def test_what_a_piece_fails_with_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        csv_pieces.each(b"a,b\n" + b"1.5,2.5\n" * LINES, lambda table: 1 // 0)


def test_very_wide_tables_take_the_whole() -> None:
    for width in (WIDE, WIDE + 1):
        line = b",".join([b"1.5"] * width) + b"\n"
        assert (csv_pieces.each(line + line, len) is None) == (width > WIDE)


def test_wide_tables_have_large_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pieces, "PIECE_OF_COLUMN", 100)
    counts = csv_pieces.each(b"a,b,c\n" + b"1.5,2.5,3.5\n" * LINES, len)
    assert counts is not None
    assert max(counts) == 200 // len("1.5,2.5,3.5\n")


def test_large_texts_are_read_in_pieces_and_small_ones_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pieces, "LEAST_BYTES", 100)
    sizes: list[int] = []
    read_csv = pd.read_csv

    def watched(text: io.BytesIO, **options: object) -> pd.DataFrame:
        sizes.append(len(text.getvalue()))
        return read_csv(text, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(pd, "read_csv", watched)
    # A space keeps it from the reader of small bodies.
    for rows in (5, 50):
        sizes.clear()
        table = csv_text.read(Payload(b"a,b\n" + b"1.5, 2\n" * rows))
        assert len(table) == rows
        assert (max(sizes) <= 4 + csv_pieces.PIECE) == (rows == 50)
    assert table.to_numpy().tolist() == [[1.5, 2.0]] * 50


def test_the_room_for_a_table_is_made_once() -> None:
    table = csv_pieces.read(b"a,b\n" + b"1.5,2.5\n" * LINES)
    assert table is not None
    assert np.shares_memory(table["a"].to_numpy(), table["b"].to_numpy().base)
