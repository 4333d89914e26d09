"""What a table unfolds to, where its bytes do not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from custom_model_runner.data import arrow_size

ROWS = 1000
LONG = "x" * 5000
REPEATED = pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), pa.array([LONG]))


def size(array: Any) -> int:
    return arrow_size.of(pa.table({"a": array}))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(np.zeros(ROWS)), 8 * ROWS),
        (pa.array(np.zeros(ROWS, np.int16)), 2 * ROWS),
        (pa.array([True] * ROWS), ROWS),
        (pa.array(["four"] * ROWS), 8 * ROWS),
        (pa.array([[1.0, 2.0]] * ROWS), 20 * ROWS),
    ],
)
def test_values_that_stand_for_themselves_take_about_their_bytes(array: Any, expected: int) -> None:
    assert size(array) == pytest.approx(expected, abs=8)


@pytest.mark.parametrize("kind", [pa.bool_(), pa.int8(), pa.float64()])
def test_values_with_gaps_become_floats_or_objects(kind: pa.DataType) -> None:
    assert size(pa.array([1, None] * (ROWS // 2)).cast(kind)) == 8 * ROWS


@pytest.mark.parametrize(
    "array",
    [
        pa.nulls(ROWS),
        pa.StructArray.from_arrays([pa.nulls(ROWS)], ["a"]),
        pa.array([[None] * ROWS]),
        pa.array([[None] * ROWS], pa.list_(pa.null(), ROWS)),
    ],
    ids=["nulls", "struct", "list", "fixed size list"],
)
def test_rows_that_take_no_bytes_count_as_numbers(array: Any) -> None:
    assert array.nbytes < ROWS
    assert size(array) >= 8 * ROWS


def test_a_column_of_categories_stays_as_small_as_it_is() -> None:
    assert size(REPEATED) < 2 * (4 * ROWS + len(LONG))


def test_text_that_is_repeated_inside_lists_and_structs_counts_each_time() -> None:
    offsets = pa.array([0, ROWS], pa.int32())
    assert size(pa.ListArray.from_arrays(offsets, REPEATED)) > ROWS * len(LONG)
    assert size(pa.StructArray.from_arrays([REPEATED], ["a"])) > ROWS * len(LONG)
    assert arrow_size.unfolded(REPEATED) == ROWS * (len(LONG) + 8)


def test_missing_rows_of_a_dictionary_unfold_to_nothing() -> None:
    gaps = pa.DictionaryArray.from_arrays(pa.array([None, 0, None], pa.int32()), pa.array([LONG]))
    assert arrow_size.unfolded(gaps) == len(LONG) + 3 * 8


@pytest.mark.parametrize("column", [pa.chunked_array([], pa.string()), pa.array([], pa.float64()), pa.nulls(0)])
def test_no_rows_take_next_to_nothing(column: Any) -> None:
    assert size(column) <= 4


def views() -> Any:
    """Many rows that all look at the same text, where this version of the library knows such rows."""
    row = np.array([len(LONG), int.from_bytes(b"xxxx", "little"), 0, 0], np.int32)
    buffers = [None, pa.py_buffer(np.tile(row, ROWS).tobytes()), pa.py_buffer(LONG.encode())]
    return pa.Array.from_buffers(pa.string_view(), ROWS, buffers)


def test_rows_that_look_at_the_same_text_count_each_time() -> None:
    array = views() if "string_view" in dir(pa) else pa.array([LONG] * ROWS)
    assert size(array) > ROWS * len(LONG)
    assert size(array[10:20]) == pytest.approx(10 * len(LONG), rel=0.2)


@dataclass(frozen=True)
class Views:
    """A column of views, also where the library has none."""

    rows: Any
    offset: int = 0

    def buffers(self) -> list[Any]:
        return [None, pa.py_buffer(self.rows.tobytes()), pa.py_buffer(b"x" * 20)]

    def __len__(self) -> int:
        return len(self.rows) - self.offset


@pytest.mark.parametrize("place", [0, 2, 3])
@pytest.mark.parametrize("number", [-1, -(2**31), 2**31 - 1])
def test_a_view_that_looks_elsewhere_is_an_error_even_in_a_missing_row(place: int, number: int) -> None:
    """Missing rows are not looked at when a table is validated, but when it is converted."""
    rows = np.array([[20, 0, 0, 0], [5, 0, 7, 7], [20, 0, 0, 0]], np.int32)
    assert arrow_size._viewed(Views(rows)) == 45
    assert arrow_size._viewed(Views(rows, offset=2)) == 20
    rows[2, place] = number
    with pytest.raises(ValueError, match="a view looks behind its text"):
        arrow_size._viewed(Views(rows))
