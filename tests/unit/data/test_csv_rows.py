"""Small CSV bodies of plain numbers: what is read without pandas is what pandas reads, to the last bit."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_model_runner.data import csv_rows, tables
from custom_model_runner.data.payload import COLUMN, Payload
from custom_model_runner.errors import PayloadTooLarge

DIGIT = st.sampled_from("0123456789")
POWERS = st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 330))
NUMBERS = st.one_of(
    st.integers(-999, 999).map(str),
    st.integers().map(str),
    st.floats().map(repr),
    st.builds("{:.{}f}".format, st.floats(-1e6, 1e6), st.integers(0, 12)),
    st.builds("{}{}.{}{}".format, st.sampled_from(["", "-"]), st.integers(0), st.text(DIGIT, min_size=1), POWERS),
    st.builds("{}{}".format, st.integers(-(10**18), 10**18), POWERS),
)
TEXTS = (
    *("-0", "-0.0", "-00", "007", "-", "+1", ".5", "5.", "1_000", '"1"', '"1,5"', "1e", "0x1f", "1.5.2", "1-2", "[1]"),
    *(
        "NaN",
        "nan",
        "NA",
        "null",
        "None",
        "inf",
        "-Infinity",
        "True",
        "false",
        "TRUE",
        "text",
        "ä",
        "2020-01-01",
        "12:30",
    ),
    *("99999999999999999999", "9223372036854775808", "-9223372036854775809", "1e400", "5e-324", " 1", "1 ", " ", ""),
)
CELL = st.one_of(NUMBERS, NUMBERS, NUMBERS, st.just(""), st.sampled_from(TEXTS))
ODD_NAME = st.sampled_from(["", " ", " a", "a.1", "1", "x y", "ö", '"q"', '"a,b"', "\r"])
NAME = st.text("abc", min_size=1, max_size=2) | ODD_NAME
LINE_END = st.sampled_from(["\n", "\n", "\n", "\r\n", "\n\n", "\r"])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """CSV as clients write it, and as they should not; a row may be too short or too long."""
    width = draw(st.integers(1, 5))
    is_odd = draw(st.booleans())
    cell = CELL if is_odd else draw(st.sampled_from([NUMBERS, st.integers(-50, 50).map(str), st.just("0.25")]))
    lines = [draw(st.lists(NAME if is_odd else st.text("abcdefg", min_size=1), min_size=width, max_size=width))]
    widths = st.sampled_from([width] * 20 + [width - 1, width + 1] if is_odd else [width])
    lines += [draw(st.lists(cell, min_size=n, max_size=n)) for n in draw(st.lists(widths, max_size=5))]
    end = draw(LINE_END) if is_odd else "\n"
    text = end.join(",".join(line) for line in lines) + draw(st.sampled_from([end, ""]))
    return draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"] if is_odd else [b""])) + text.encode()


def read_by_pandas(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), low_memory=False)


def expect_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare all that can be seen of two tables, the bits of their values and their order in memory included."""
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_column_type="equiv")
    ours, theirs = found.to_numpy(), expected.to_numpy()
    assert (ours.dtype, ours.strides) == (theirs.dtype, theirs.strides)
    assert ours.tobytes() == theirs.tobytes()


@given(bodies())
@example(b"a,b\n1,\n,\n")
@example(b"a,b\n1.5,-0\n")
@example(b"a,b\n1,2,3\n")
@example(b"a\n1e-05\n0.30000000000000004\n")
@example(b"\xef\xbb\xbf,\n0.1,2\n")
def test_what_is_read_without_pandas_is_what_pandas_reads(data: bytes) -> None:
    rows = csv_rows.read(Payload(data))
    if rows is None:
        return
    expected = read_by_pandas(data)
    expect_same(rows.table(), expected)
    array = expected.to_numpy()
    assert (rows.array().dtype, rows.array().strides) == (array.dtype, array.strides)
    assert rows.array().tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        b"a\n1\n",
        b"a,b\n1,2",
        b"a,b\r\n1,2.5\r\n-3,4\r\n",
        b"a,b\n,\n1,\n",
        b"a,b\n0.000012,1e5\n1E-7,-0.0\n",
        b"\xef\xbb\xbfa,b\n1,2\n",
        "ö,a,a,\n1,2,3,4\n".encode(),
        b"a,b\n" + b"0.12345678901234,-999999999999999\n" * 100,
    ],
)
def test_plain_numbers_are_read_without_pandas(data: bytes) -> None:
    rows = csv_rows.read(Payload(data))
    assert rows is not None
    expect_same(rows.table(), read_by_pandas(data))


@pytest.mark.parametrize(
    "data",
    [b"", b"a", b"a\n", b"a,b\n1,2\n\n", b"\na\n1\n", b"a\n\n1\n", b" \n1\n", b'"a"\n1\n', b"a,b\n1\n", b"a,b\n1,2,3\n"]
    + [b"a\n%b\n" % cell for cell in (b"x", b"True", b"nan", b"007", b"+1", b" 1", b'"1"', b"1_0", b"-0", b"1e999")]
    + [b"a\n9223372036854775808\n", b"a\r1\r", b"\xff\n1\n", b"a\n1\n" + b"2\n" * csv_rows.MOST_BYTES],
)
def test_what_is_not_sure_is_left_to_pandas(data: bytes) -> None:
    assert csv_rows.read(Payload(data)) is None


def test_columns_whose_types_are_given_are_left_to_pandas() -> None:
    assert csv_rows.read(replace(Payload(b"a,b\n1,2\n"), text_columns=frozenset({"b"}))) is None
    assert csv_rows.read(replace(Payload(b"a,b\n1,2\n"), types={"a": "float"})) is None


def test_long_numbers_are_left_to_a_pandas_that_rounds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    long = [b"a\n0.1234567890123456\n", b"a,b\n1234567890123456,0.5\n", b"a\n1e-8\n", b"a\n1.5e22\n"]
    monkeypatch.setattr(csv_rows, "_is_exact", lambda: False)
    assert [csv_rows.read(Payload(data)) for data in long] == [None] * 4
    monkeypatch.setattr(csv_rows, "_is_exact", lambda: True)
    assert None not in [csv_rows.read(Payload(data)) for data in long]


def test_a_wide_header_is_refused_by_the_limit_as_ever() -> None:
    body = b",".join([b"a"] * 20) + b"\n" + b",".join([b"1"] * 20)
    with pytest.raises(PayloadTooLarge):
        tables.read(Payload(body, "text/csv", limit=19 * COLUMN))


def test_the_header_of_a_line_is_the_same_object_in_all_rows() -> None:
    first, second = (csv_rows.read(Payload(b"same,header\n%d,2\n" % number)) for number in (1, 2))
    assert first is not None
    assert second is not None
    assert first.header is second.header


def test_a_changed_table_leaves_the_next_one_alone() -> None:
    body = Payload(b"p,q\n1.5,2.5\n")
    changed = tables.read(replace(body, media_type="text/csv"))
    changed.columns = ["x", "y"]
    changed.iloc[0, 0] = 9.0
    tables.read(replace(body, media_type="text/csv")).columns.name = "names"
    rows = csv_rows.read(body)
    assert rows is not None
    assert rows.table().to_dict("records") == [{"p": 1.5, "q": 2.5}]
    assert rows.table().columns.name is None
