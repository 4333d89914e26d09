"""JSON tables: their forms, their types, and what is no table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data import json_table
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge

TABLE = pd.DataFrame({"n": [1, 2], "t": ["a", "é"]})
FORMS = {
    "records": [{"n": 1, "t": "a"}, {"n": 2, "t": "é"}],
    "split": {"columns": ["n", "t"], "data": [[1, "a"], [2, "é"]]},
    "split with an index": {"columns": ["n", "t"], "index": [7, 9], "data": [[1, "a"], [2, "é"]]},
    "columns": {"n": [1, 2], "t": ["a", "é"]},
    "columns of pandas": {"n": {"0": 1, "1": 2}, "t": {"1": "é", "0": "a"}},
    "named records": {"dataframe_records": [{"n": 1, "t": "a"}, {"n": 2, "t": "é"}]},
    "named split": {"dataframe_split": {"columns": ["n", "t"], "data": [[1, "a"], [2, "é"]]}},
}


def read(text: str | bytes) -> pd.DataFrame:
    return json_table.read(Payload(text.encode() if isinstance(text, str) else text, "application/json"))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_table(form: Any) -> None:
    pd.testing.assert_frame_equal(read(json.dumps(form)), TABLE)


@pytest.mark.parametrize("orient", ["records", "split", "columns"])
def test_what_pandas_writes_is_read(orient: Any) -> None:
    pd.testing.assert_frame_equal(read(TABLE.to_json(orient=orient)), TABLE)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(b"\xef\xbb\xbf" + b'[{"a":1}]').columns.tolist() == ["a"]


def test_a_table_may_have_columns_called_columns_and_data_beside_others() -> None:
    assert read('{"columns":[1],"data":[2],"more":[3]}').to_numpy().tolist() == [[1, 2, 3]]


def test_column_names_of_a_split_table_may_be_numbers_and_become_text() -> None:
    assert read('{"columns":[0,1],"data":[[1,2]]}').columns.tolist() == ["0", "1"]


@pytest.mark.parametrize("text", ['{"columns":["a","b"],"data":[]}', '{"a":[],"b":[]}'])
def test_a_table_may_have_no_rows(text: str) -> None:
    assert (read(text).shape, read(text).columns.tolist()) == ((0, 2), ["a", "b"])


@pytest.mark.parametrize("text", ["[]", "{}", "[{},{}]", '{"columns":[],"data":[[],[]]}'])
def test_a_table_without_columns_is_left_to_the_caller(text: str) -> None:
    assert read(text).shape[1] == 0


NO_TABLES = {
    "3": "is no table, expected a list of records",
    '"text"': "is no table, expected a list of records",
    "null": "is no table, expected a list of records",
    '{"a":1,"b":2}': "is no table, expected a list of records",
    '{"a":[1],"b":{"0":1}}': "is no table, expected a list of records",
    '{"dataframe_split":3}': "is no table, expected a list of records",
    "[[1,2],[3,4]]": "row 0, counted from 0, is not an object",
    '[{"a":1},null]': "row 1, counted from 0, is not an object",
    '{"a":[1,2],"b":[1]}': "ragged: its columns have 1 to 2 values",
    '{"a":{"0":1},"b":{"1":1}}': "ragged: its columns have different rows",
    '{"columns":["a","b"],"data":[[1,2],[1]]}': "ragged: row 1, counted from 0, has 1 values for 2 columns",
    '{"columns":["a"],"data":[[1,2]]}': "ragged: row 0, counted from 0, has 2 values for 1 columns",
    '{"columns":["a"],"data":[1]}': '"data" a list of lists',
    '{"columns":[["a"]],"data":[[1]]}': '"columns" must be a list of names',
    '{"columns":"a","data":[[1]]}': '"columns" must be a list of names',
    '{"columns":["a","b","a"],"data":[[1,2,3]]}': "two columns of the same name; the second is column 2",
    '{"columns":[1,"1"],"data":[[1,2]]}': "two columns of the same name; the second is column 1",
}


@pytest.mark.parametrize(("text", "words"), NO_TABLES.items(), ids=NO_TABLES)
def test_what_is_no_table_is_an_input_error_that_says_why(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value).startswith("The JSON input ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[1", '[{"a":NaN}]', '[{"a":Infinity}]', '[{"a":1e400}]', "{'a':[1]}", '{"a":[1]} x', " "]
)
def test_what_is_no_json_is_an_input_error_that_tells_the_place(text: str) -> None:
    with pytest.raises(InputError, match=r"^The JSON input is broken or cut short at line 1, column \d+$"):
        read(text)


def test_the_place_is_a_line_and_a_column() -> None:
    with pytest.raises(InputError, match="at line 3, column 7"):
        read('[\n{"a":1},\n{"a": x}]')


@pytest.mark.parametrize("text", ['[{"a":"é"}]'.encode("latin-1"), '[{"a":1}]'.encode("utf-16")])
def test_another_encoding_than_utf_8_is_an_input_error(text: bytes) -> None:
    with pytest.raises(InputError, match="The JSON input cannot be decoded: its encoding must be UTF-8"):
        read(text)


def test_nesting_without_end_is_an_input_error() -> None:
    with pytest.raises(InputError, match="broken"):
        read("[" * 100_000)


@pytest.mark.parametrize("text", ['[{"a":"MARKER]', '[{"MARKER":1},MARKER]', '["MARKER"]', '{"MARKER":1}'])
def test_an_error_does_not_show_the_input(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert "MARKER" not in str(caught.value)


def test_a_table_is_written_in_the_split_form_with_its_rows_numbered() -> None:
    table = pd.DataFrame({"n": [0.5, np.nan], "t": ["a", None]}, index=[7, 9])
    expected = b'{"columns":["n","t"],"index":[0,1],"data":[[0.5,"a"],[null,null]]}'
    assert json_table.write(table, "application/json") == expected


def test_a_table_with_two_columns_of_one_name_can_be_written() -> None:
    table = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert json.loads(json_table.write(table, "application/json"))["columns"] == ["a", "a"]


@pytest.mark.parametrize("body", ['{"columns":%s,"data":[]}', '{"dataframe_split":{"columns":%s,"data":[]}}'])
def test_more_columns_than_the_limit_has_room_for_are_refused(body: str) -> None:
    names = json.dumps([f"c{number}" for number in range(11)])
    with pytest.raises(PayloadTooLarge, match="has 11 columns, expected at most 10"):
        json_table.read(Payload((body % names).encode(), limit=10_240))
    every = json.dumps({f"c{number}": [] for number in range(11)})
    with pytest.raises(PayloadTooLarge, match="has 11 columns, expected at most 10"):
        json_table.read(Payload(every.encode(), limit=10_240))


def test_more_objects_and_lists_than_the_limit_has_room_for_are_refused() -> None:
    body = b"[" + b'{"a":1},' * 30 + b'{"a":1}]'
    size = 32 * 128 + 30 * 8
    assert len(json_table.read(Payload(body, limit=size))) == 31
    with pytest.raises(PayloadTooLarge, match=f"a table of more than {size - 1} bytes"):
        json_table.read(Payload(body, limit=size - 1))


def test_a_form_is_unwrapped_once() -> None:
    """However deep it stands in itself."""
    deep = b'{"dataframe_split":' * 1000 + b"1" + b"}" * 1000
    assert json_table.read(Payload(deep)).shape == (1, 1)
