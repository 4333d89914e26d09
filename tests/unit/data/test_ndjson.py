"""NDJSON: a record on each line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import ndjson
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError, PayloadTooLarge

NDJSON = "application/x-ndjson"


def read(data: bytes) -> pd.DataFrame:
    return ndjson.read(Payload(data, NDJSON))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b" \n\t\n"])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_each_line_is_a_row_and_blank_ones_do_not_count(end: bytes, last: bytes) -> None:
    lines = ['{"n":1,"t":"a\\nb"}', '{"n":2,"t":"é"}']
    table = read(end.join(line.encode() for line in lines) + last)
    pd.testing.assert_frame_equal(table, pd.DataFrame({"n": [1, 2], "t": ["a\nb", "é"]}))


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_no_lines_are_a_table_without_columns(data: bytes) -> None:
    assert read(data).shape == (0, 0)


def test_a_broken_line_is_an_input_error_that_tells_its_number() -> None:
    with pytest.raises(InputError, match="The NDJSON input is broken or cut short at line 3, column 6"):
        read(b'{"a":1}\n\n{"a":x}\n')


@pytest.mark.parametrize("line", [b"3", b"[1]", b'"x"', b"null"])
def test_a_line_that_is_no_object_is_an_input_error(line: bytes) -> None:
    with pytest.raises(InputError, match="The NDJSON input is no table: line 3 is not an object"):
        read(b'{"a":1}\n\n' + line)


def test_two_objects_on_a_line_are_an_input_error() -> None:
    with pytest.raises(InputError, match="at line 1, column 8"):
        read(b'{"a":1},{"a":2}')


def test_another_encoding_than_utf_8_is_an_input_error() -> None:
    with pytest.raises(InputError, match="The NDJSON input cannot be decoded: its encoding must be UTF-8"):
        read(b'{"a":1}\n{"a":"\xe9"}\n')


def test_each_row_is_written_as_a_line() -> None:
    table = pd.DataFrame({"n": [0.1, np.nan], "t": ["a\nb", None], "i": [1, 2]}, index=[5, 5])
    lines = ndjson.write(table, NDJSON).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        {"n": 0.1, "t": "a\nb", "i": 1},
        {"n": None, "t": None, "i": 2},
    ]


def test_more_records_than_the_limit_has_room_for_are_refused() -> None:
    body, size = b'{"a":1}\n' * 30 + b"\n" * 2, 30 * 128 + 32 * 8
    assert len(ndjson.read(Payload(body, limit=size))) == 30
    with pytest.raises(PayloadTooLarge, match=f"a table of more than {size - 1} bytes"):
        ndjson.read(Payload(body, limit=size - 1))


def test_a_name_of_any_characters_is_written() -> None:
    assert ndjson.write(pd.DataFrame({'5% "off"\n': [1]}), NDJSON) == b'{"5% \\"off\\"\\n":1}\n'


def test_no_rows_are_nothing() -> None:
    assert ndjson.write(pd.DataFrame({"a": []}), NDJSON) == b""


def test_two_columns_of_one_name_cannot_be_written() -> None:
    with pytest.raises(ContractError, match="two columns named 'a', which NDJSON cannot hold"):
        ndjson.write(pd.DataFrame([[1, 2]], columns=["a", "a"]), NDJSON)


@pytest.mark.parametrize(
    ("late", "found"),
    [
        (b'{"a":1.5}', "column 'a' holds a number with a fraction, expected int64"),
        (b'{"a":9223372036854775808}', "column 'a' holds an integer beyond 63 bits, expected int64"),
        (b'{"a":[1]}', "column 'a' holds a list or an object, expected int64"),
        (b"{}", "column 'a' holds a missing value, expected int64"),
        (b'{"a":1,"b":1}', "column 'b' comes late, expected in the beginning"),
    ],
)
def test_a_part_that_contradicts_the_types_it_is_given_is_told_by_its_line(late: bytes, found: str) -> None:
    part = Payload(b'{"a":1}\n\n' + late + b"\n", NDJSON, types={"a": "int64"}, first_line=10)
    with pytest.raises(InputError, match=f"line 12, {found}; --whole-file"):
        ndjson.read(part)


def test_a_line_of_a_part_is_told_by_its_number_in_the_whole() -> None:
    with pytest.raises(InputError, match="line 11 is not an object"):
        ndjson.rows(Payload(b'{"a":1}\n3\n', "application/x-ndjson", first_line=10))
