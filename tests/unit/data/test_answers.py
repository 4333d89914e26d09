"""Numbers as text: shortest, exact, and the same in CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_model_runner.data import answers
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.errors import ContractError
from custom_model_runner.plugins import ARROW_STREAM

AWKWARD = [1e-5, 1e16, 0.1 + 0.2, -0.0, 5e-324, 1.0, 1 / 3, 1e22, 123456789.0, 1.7976931348623157e308, 2.5e-8]
FINITE = st.floats(allow_nan=False, allow_infinity=False)
Layout = Callable[[list[float]], Predictions]


def to_csv(predictions: Predictions) -> bytes:
    return answers.write(predictions, "text/csv")


def as_predictions(values: list[float]) -> Predictions:
    return Predictions(("Predictions",), np.array(values).reshape(-1, 1))


def as_probabilities(values: list[float]) -> Predictions:
    return Predictions(("a", "b"), np.array([values, values]).T)


def as_text_column(values: list[float]) -> Predictions:
    """The values of a target whose predictions are not cast to float."""
    return Predictions(("Predictions",), pd.DataFrame({"x": pd.Series(values, dtype=object)}).to_numpy())


def as_numpy_scalars(values: list[float]) -> Predictions:
    return as_text_column([np.float64(value) for value in values])


def as_single_scalars(values: list[float]) -> Predictions:
    return as_text_column([cast("float", np.float32(value)) for value in values])


def as_extra(values: list[float]) -> Predictions:
    return Predictions(("Predictions",), np.zeros((len(values), 1)), pd.DataFrame({"x": values}))


def as_mixed_extra(values: list[float]) -> Predictions:
    extra = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": "text"})
    return Predictions(("Predictions",), np.array(values).reshape(-1, 1), extra)


def place_in(layout: Layout) -> int:
    """Return the column in which a layout puts the values."""
    return int(layout in (as_extra, as_mixed_extra))


LAYOUTS = [as_predictions, as_probabilities, as_text_column, as_numpy_scalars, as_extra, as_mixed_extra]


def csv_rows(predictions: Predictions) -> list[list[str]]:
    """The fields of each row as they are written."""
    text = to_csv(predictions).decode()
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def json_body(predictions: Predictions) -> dict[str, Any]:
    """The body with each float as the text that is written."""
    body: dict[str, Any] = json.loads(answers.to_json(predictions), parse_float=lambda text: f"float {text}")
    return body


def json_rows(predictions: Predictions) -> list[list[Any]]:
    body = json_body(predictions)
    rows = [list(row.values()) if isinstance(row, dict) else [row] for row in body["predictions"]]
    extra = body.get("extraModelOutput", {"data": [[]] * len(rows)})["data"]
    return [row + more for row, more in zip(rows, extra, strict=True)]


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(values=st.lists(FINITE, min_size=1, max_size=4))
@example(values=AWKWARD)
def test_any_double_reads_back_with_the_same_bits(layout: Layout, values: list[float]) -> None:
    column = place_in(layout)
    assert [bits(float(row[column])) for row in csv_rows(layout(values))] == [bits(value) for value in values]


@pytest.mark.parametrize("layout", LAYOUTS)
@given(values=st.lists(FINITE, min_size=1, max_size=4))
@example(values=AWKWARD)
def test_any_double_has_the_same_text_in_csv_and_json(layout: Layout, values: list[float]) -> None:
    written = layout(values)
    as_csv = [[field if field == "text" else f"float {field}" for field in row] for row in csv_rows(written)]
    assert as_csv == json_rows(written)


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=4))
@example(values=[np.float32(0.1).item()])
def test_a_number_of_single_precision_has_the_same_text_in_csv_and_json(values: list[float]) -> None:
    written = as_single_scalars(values)
    assert [[f"float {field}" for field in row] for row in csv_rows(written)] == json_rows(written)


@given(value=FINITE)
@example(value=1.0)
@example(value=1e15)
def test_a_double_is_written_with_the_fewest_digits(value: float) -> None:
    def digits(text: str) -> str:
        return re.sub(r"[eE].*|[-.]", "", text).strip("0")

    ((written,),) = csv_rows(as_predictions([value]))
    assert digits(written) == digits(repr(value))


@given(number=st.integers(-(10**15), 10**15))
def test_a_whole_number_keeps_its_point(number: int) -> None:
    ((written,),) = csv_rows(as_predictions([float(number)]))
    assert written == f"{number}.0"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_missing_value_is_empty_in_csv_and_null_in_json(layout: Layout) -> None:
    column = place_in(layout)
    written = layout([1.5, math.nan])
    assert [row[column] for row in csv_rows(written)] == ["1.5", ""]
    assert [row[column] for row in json_rows(written)] == ["float 1.5", None]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_infinities_are_inf_in_csv_and_null_in_json(layout: Layout) -> None:
    column = place_in(layout)
    written = layout([math.inf, -math.inf, 1.5, math.nan])
    assert [row[column] for row in csv_rows(written)] == ["inf", "-inf", "1.5", ""]
    assert [row[column] for row in json_rows(written)] == [None, None, "float 1.5", None]


@given(values=st.lists(st.floats(), min_size=1, max_size=6))
def test_pandas_reads_as_many_rows_as_were_written(values: list[float]) -> None:
    for layout in (as_predictions, as_probabilities):
        assert len(pd.read_csv(io.BytesIO(to_csv(layout(values))))) == len(values)


def test_a_single_column_is_a_list_in_json() -> None:
    assert answers.to_json(as_predictions([1.0, 2.5])) == b'{"predictions":[1.0,2.5]}'


def test_several_columns_are_objects_in_json() -> None:
    predictions = Predictions(("yes", "no"), np.array([[0.75, 0.25]]))
    assert answers.to_json(predictions) == b'{"predictions":[{"yes":0.75,"no":0.25}]}'


def test_texts_are_a_list_in_json_and_quoted_in_csv_where_they_must_be() -> None:
    texts = Predictions(("Predictions",), np.array([['say "hi", sea'], ["ö\nx"]], dtype=object))
    assert answers.to_json(texts) == '{"predictions":["say \\"hi\\", sea","ö\\nx"]}'.encode()
    assert to_csv(texts) == 'Predictions\n"say ""hi"", sea"\n"ö\nx"\n'.encode()


def test_lists_stay_lists_in_json_and_are_written_as_python_does_in_csv() -> None:
    lists = Predictions(("Predictions",), pd.DataFrame({"x": [["a", "b"], ["c"]]}).to_numpy())
    assert answers.to_json(lists) == b'{"predictions":[["a","b"],["c"]]}'
    assert to_csv(lists) == b"Predictions\n\"['a', 'b']\"\n['c']\n"


@pytest.mark.parametrize("columns", [("Predictions",), ("no", "yes")])
def test_no_predictions_are_an_empty_list_and_a_header(columns: tuple[str, ...]) -> None:
    nothing = Predictions(columns, np.empty((0, len(columns))))
    assert answers.to_json(nothing) == b'{"predictions":[]}'
    assert to_csv(nothing) == f"{','.join(columns)}\n".encode()


def with_extra(extra: pd.DataFrame) -> Predictions:
    return Predictions(("Predictions",), np.arange(len(extra), dtype=float).reshape(-1, 1), extra)


def test_extra_output_stands_in_columns_index_and_data() -> None:
    predictions = with_extra(pd.DataFrame({"why": ["x", None], "n": [1, 2], "ok": [True, False]}))
    assert json.loads(answers.to_json(predictions)) == {
        "predictions": [0.0, 1.0],
        "extraModelOutput": {
            "columns": ["why", "n", "ok"],
            "index": [0, 1],
            "data": [["x", 1, True], [None, 2, False]],
        },
    }


def test_extra_output_comes_last_in_csv() -> None:
    predictions = with_extra(pd.DataFrame({"why": ["x", None], "n": [1, 2], "ok": [True, False]}))
    assert to_csv(predictions) == b"Predictions,why,n,ok\n0.0,x,1,True\n1.0,,2,False\n"


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None], dtype="Int64"),
        pd.array(["1", None], dtype="string"),
        pd.Categorical(["1", None]),
        pd.array([True, None], dtype="boolean"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_a_missing_value_of_any_type_is_empty_in_csv_and_null_in_json(column: Any) -> None:
    predictions = with_extra(pd.DataFrame({"x": column}))
    assert csv_rows(predictions)[1] == ["1.0", ""]
    assert json_body(predictions)["extraModelOutput"]["data"][1] == [None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_are_milliseconds_in_json_and_readable_in_csv(unit: str) -> None:
    dates = np.array(["2024-01-02T03:04:05", "NaT"], dtype=f"datetime64[{unit}]")
    predictions = with_extra(pd.DataFrame({"when": dates}))
    assert json_body(predictions)["extraModelOutput"]["data"] == [[1704164645000], [None]]
    assert [row[1] for row in csv_rows(predictions)] == ["2024-01-02 03:04:05", ""]


def test_columns_that_are_not_named_by_texts_are_written() -> None:
    predictions = with_extra(pd.DataFrame({1: ["x"], 20: ["y"]}))
    assert json_body(predictions)["extraModelOutput"]["columns"] == ["1", "20"]
    assert to_csv(predictions).splitlines()[0] == b"Predictions,1,20"


@pytest.mark.parametrize("write", [to_csv, answers.to_json])
def test_a_text_that_is_no_text_breaks_the_contract(write: Callable[[Predictions], bytes]) -> None:
    with pytest.raises(ContractError):
        write(Predictions(("Predictions",), np.array([["\ud800"]], dtype=object)))


def written(predictions: Predictions, media_type: str) -> Any:
    return pa.ipc.open_stream(answers.write(predictions, media_type)).read_all()


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["a", None], pa.string(), ["a", None]),
        ([np.str_("a")], pa.string(), ["a"]),
        ([None], pa.string(), [None]),
        ([], pa.string(), []),
        ([1, "x"], pa.string(), ["1", "x"]),
        ([["a"], ["b", "c"]], pa.list_(pa.string()), [["a"], ["b", "c"]]),
    ],
    ids=str,
)
def test_text_targets_are_columns_of_strings_in_arrow_and_lists_stay_lists(
    values: list[Any], kind: Any, read: list[Any]
) -> None:
    column = np.empty((len(values), 1), dtype=object)
    column[:, 0] = values
    table = written(Predictions(("Predictions",), column), ARROW_STREAM)
    assert (table["Predictions"].type, table["Predictions"].to_pylist()) == (kind, read)


@given(st.lists(st.floats(allow_nan=False)))
def test_arrow_keeps_every_bit_of_a_number(values: list[float]) -> None:
    table = written(as_predictions(values), ARROW_STREAM)
    assert table["Predictions"].type == pa.float64()
    assert [struct.pack("<d", value) for value in table["Predictions"].to_pylist()] == [
        struct.pack("<d", value) for value in values
    ]


def test_columns_outside_json_are_the_predictions_and_then_the_extra_ones() -> None:
    extra = pd.DataFrame({"n": [1, 2], "day": [pd.Timestamp("2020-01-02"), pd.NaT]}, index=[5, 6])
    predictions = Predictions(("yes", "no"), np.array([[0.75, 0.25], [0.5, 0.5]]), extra)
    table = written(predictions, ARROW_STREAM)
    assert table.column_names == ["yes", "no", "n", "day"]
    assert table["n"].to_pylist() == [1, 2]
    assert pa.types.is_timestamp(table["day"].type)
    lines = answers.write(predictions, "application/x-ndjson").splitlines()
    assert json.loads(lines[0]) == {"yes": 0.75, "no": 0.25, "n": 1, "day": 1577923200000}
    assert json.loads(lines[1])["day"] is None


@pytest.mark.parametrize("media_type", [ARROW_STREAM, "application/x-ndjson", "application/vnd.apache.parquet"])
def test_an_extra_column_with_the_name_of_a_prediction_breaks_the_contract_where_names_must_differ(
    media_type: str,
) -> None:
    predictions = Predictions(("Predictions",), np.zeros((1, 1)), pd.DataFrame({"Predictions": ["x"]}))
    with pytest.raises(ContractError, match="two columns named 'Predictions'"):
        answers.write(predictions, media_type)


def test_json_is_the_body_of_an_answer_and_no_table() -> None:
    assert answers.write(as_predictions([1.5]), "application/json") == b'{"predictions":[1.5]}'
