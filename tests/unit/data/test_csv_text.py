"""CSV in, with the values and types of pandas; CSV out."""

from __future__ import annotations

import csv
import io
import math
import sys
from contextlib import nullcontext

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_model_runner.data import csv_text
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError, PayloadTooLarge


def read(data: bytes) -> pd.DataFrame:
    return csv_text.read(Payload(data))


def test_a_table_is_read_with_the_values_and_types_of_pandas() -> None:
    data = b"i,f,t,b,m\n1,0.1,x,True,\n2,1e300,NA,False,5\n"
    pd.testing.assert_frame_equal(read(data), pd.read_csv(io.BytesIO(data)))


def test_a_long_column_has_one_type() -> None:
    numbers = b"1\n" * 300_000
    assert {type(value) for value in read(b"a\n" + numbers + b"x\n")["a"]} == {str}


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"a,b\n1,2\n", ["a", "b"]),
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
        (b"a,a,a\n1,2,3\n", ["a", "a.1", "a.2"]),
        (b"a,,b,\n1,2,3,4\n", ["a", "Unnamed: 1", "b", "Unnamed: 3"]),
        ('"x, y", z ,ö/[1]<2>\n1,2,3\n'.encode(), ["x, y", " z ", "ö/[1]<2>"]),
        (b"a;b\n1;2\n", ["a;b"]),
        (b"a,b", ["a", "b"]),
    ],
)
def test_column_names_are_those_of_the_header(data: bytes, names: list[str]) -> None:
    assert list(read(data).columns) == names


def test_a_header_without_rows_is_a_table_without_rows() -> None:
    assert read(b"a,b\n").shape == (0, 2)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(end: str) -> None:
    assert read(end.join(["a,b", "1,2", "3,4"]).encode()).to_numpy().tolist() == [[1, 2], [3, 4]]


def test_a_quoted_field_may_hold_commas_quotes_and_lines() -> None:
    assert read(b'a,b\n"x, ""y""\nz",1\n')["a"].tolist() == ['x, "y"\nz']


def test_blank_lines_between_rows_of_several_columns_are_dropped() -> None:
    assert read(b"a,b\n1,2\n\n3,4\n\n").to_numpy().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_of_a_single_column_are_missing_values(end: str) -> None:
    values = read(end.join(["a", "1", "", "3", "", ""]).encode())["a"].tolist()
    assert [None if math.isnan(value) else value for value in values] == [1, None, 3, None]


def test_a_row_with_too_few_fields_ends_with_missing_values() -> None:
    assert read(b"a,b\n1\n")["b"].isna().tolist() == [True]


@pytest.mark.parametrize("data", [b"a,b\n1,2,3\n4,5,6\n", b"a,b\n0,2,3\n1,5,6\n", b"a,b\nx,2,3\n", b"a\n1,2\n"])
def test_rows_that_all_have_too_many_fields_are_an_error(data: bytes) -> None:
    with pytest.raises(InputError, match="rows hold more fields than the header line"):
        read(data)


def test_a_row_with_too_many_fields_is_an_error_that_names_its_line() -> None:
    with pytest.raises(InputError, match="The CSV input is broken: Expected 2 fields in line 3, saw 3"):
        read(b"a,b\n1,2\n1,2,3\n")


def test_a_row_that_is_wide_from_the_first_on_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match="more fields than the header line: 3 in line 4, expected 2"):
        read(b'"a\nb",c\n\n1,2,3\n')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_inside_quotes_as_well(end: str) -> None:
    with pytest.raises(InputError, match="Expected 2 fields in line 8, saw 3"):
        read(end.join(["", '"a', 'b",c', '1,"x""', ',"', "", "3,4", "5,6,7", '"', '",8', ""]).encode())


def test_a_quote_that_never_ends_is_an_error_that_names_the_line_of_its_row() -> None:
    with pytest.raises(InputError, match="The CSV input is broken: the row in line 5 has quotes that never end"):
        read(b'a,b\n"1\n",2\n\n"3,4\n5\n')


@pytest.mark.parametrize("data", [b"a,b\ncaf\xe9,1\n", b"caf\xe9,b\n1,2\n", "a,b\n1,2\n".encode("utf-16")])
def test_another_encoding_than_utf_8_is_an_error(data: bytes) -> None:
    with pytest.raises(InputError, match="encoding must be UTF-8"):
        read(data)


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n\n"])
def test_an_empty_input_is_an_error(data: bytes) -> None:
    with pytest.raises(InputError, match="a header line was expected"):
        read(data)


@pytest.mark.parametrize(
    "data", [b'a,b\n1,2\nMARKER,"2\n', b"a,b\n1,2\nMARKER,2,3\n", b"a,b\nMARKER\xff,1\n", b'MARKER,"b\n']
)
def test_an_error_does_not_show_the_input(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert "MARKER" not in str(caught.value)


# A lone surrogate is no text.
# The csv module of Python 3.10 knows no NUL.
KNOWS_NUL = sys.version_info >= (3, 11)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="" if KNOWS_NUL else "\0"))


@given(st.lists(TEXTS, min_size=1, max_size=5))
@example(["line\rline", "line\r\nline", ""])
def test_any_text_in_a_single_column_can_be_read_back(texts: list[str]) -> None:
    written = csv_text.write(pd.DataFrame({"Predictions": texts}, dtype=object)).decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["Predictions"], *([text] for text in texts)]


@given(st.lists(TEXTS, min_size=2, max_size=5))
@example(["line\rline", ""])
def test_any_column_name_can_be_read_back(names: list[str]) -> None:
    written = csv_text.header(names).decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [names]


def test_a_column_name_may_hold_nul_where_python_can_write_it() -> None:
    with nullcontext() if KNOWS_NUL else pytest.raises(ContractError, match=r"NUL, .* Python 3\.10"):
        assert csv_text.header(["a\0b", "c"]) == b"a\0b,c\n"


def test_columns_of_several_types_stand_side_by_side() -> None:
    table = pd.DataFrame({"no": [0.25, 1.0], "yes": [0.75, 0.0], "why": ["x", None]})
    assert csv_text.write(table) == b"no,yes,why\n0.25,0.75,x\n1.0,0.0,\n"


def test_no_rows_are_a_header() -> None:
    assert csv_text.write(pd.DataFrame({"a": [], "b": []})) == b"a,b\n"


def test_columns_of_text_stay_text_whatever_they_look_like() -> None:
    table = csv_text.read(Payload(b"a,b,c\n007,007,x\n,1e5,y\n", text_columns=frozenset({"a", "c", "gone"})))
    assert table["a"].tolist()[:1] == ["007"]
    assert table["a"].isna().tolist() == [False, True]
    assert table["b"].tolist() == [7.0, 1e5]


def test_a_single_column_of_text_stays_text() -> None:
    table = csv_text.read(Payload(b"a\n007\n\n1\n", text_columns=frozenset({"a"})))
    assert table["a"].fillna("-").tolist() == ["007", "-", "1"]


def test_short_rows_under_a_wide_header_are_refused_before_they_are_filled_up() -> None:
    header = b",".join(b"c%d" % number for number in range(5000))
    with pytest.raises(PayloadTooLarge, match="--max-decoded-bytes"):
        read(header + b"\n" + b"1\n" * 30_000)


def test_too_little_memory_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pd.errors.ParserError("Error tokenizing data. C error: out of memory")

    monkeypatch.setattr(pd, "read_csv", fail)
    with pytest.raises(MemoryError):
        read(b"a\nx\n")
