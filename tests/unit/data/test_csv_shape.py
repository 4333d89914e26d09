"""How wide and how long CSV is, by the rules of the parser that reads it later."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_model_runner.data import csv_shape
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import PayloadTooLarge

KIB = 1024


@given(st.text('aa"",,\r\n', max_size=30))
def test_the_first_two_rows_have_as_many_fields_as_a_parser_finds(text: str) -> None:
    expected = [len(row) for row in csv.reader(io.StringIO(text, newline="")) if row][:2]
    assert csv_shape.widths(Payload(text.encode())) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'\xef\xbb\xbf"a,b",c\n1,2\n', [2, 2]),
        (b" \n\t\na,b\n  \n1,2\n", [2, 2]),
        (b"a,b\n1,2,", [2, 3]),
        (b'5" pipe,b\n1,2\n', [2, 2]),
        (b'"a\nb",c\r1,"x""y",3\r', [2, 3]),
        (b"a,\xff\n\x00,1\n", [2, 2]),
    ],
)
def test_marks_blank_lines_and_stray_quotes_are_understood(text: bytes, expected: list[int]) -> None:
    assert csv_shape.widths(Payload(text)) == expected


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_records_begin_where_line_ends_are_not_in_quotes(mark: bytes) -> None:
    payload = Payload(mark + b'"a\nb",c\n5" pipe,"x\n\n""y"\n,1\n')
    assert [csv_shape.line_of_record(payload, record) for record in (1, 2, 3)] == [1, 3, 6]


@pytest.mark.parametrize("text", [b"%s\n1\n", b"a\n%s\n", b'"a"\n%s', b'%s,"x"\n'])
def test_a_row_of_more_columns_than_the_limit_has_room_for_is_refused(text: bytes) -> None:
    row = b",".join([b"c"] * 100)
    csv_shape.widths(Payload(text % row, limit=101 * KIB))
    with pytest.raises(PayloadTooLarge, match=r"columns, expected at most 99 under the limit of 101376 bytes"):
        csv_shape.widths(Payload(text % row, limit=99 * KIB))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_short_rows_that_would_be_filled_up_beyond_the_limit_are_refused(end: bytes) -> None:
    columns, limit = 100, 200 * KIB
    most = limit // 8 // columns
    fits, too_many = (Payload((b"1" + end) * rows, limit=limit) for rows in (most, most + 1))
    csv_shape.check_rows(fits, columns)
    with pytest.raises(PayloadTooLarge, match="makes a table of more than 204800 bytes"):
        csv_shape.check_rows(too_many, columns)


def test_quotes_do_not_hide_rows() -> None:
    with pytest.raises(PayloadTooLarge):
        csv_shape.check_rows(Payload(b'5" pipe\n' + b"1\n" * 1000, limit=1000 * KIB), 1000)


def test_lines_inside_quotes_are_no_rows() -> None:
    csv_shape.check_rows(Payload(b'a\n"' + b"x\n" * 1000 + b'"\n', limit=60 * KIB), 60)


def test_full_rows_are_within_every_limit() -> None:
    csv_shape.check_rows(Payload(b"1,2\n" * 1000, limit=1), 2)
