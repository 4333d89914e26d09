"""The rows of an input in blocks of any size are those of the whole: values, types, names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from custom_model_runner.batch import plan
from custom_model_runner.batch.blocks import BEGINNING, Blocks, Whole
from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError
from custom_model_runner.settings import ScoreSettings

CSV = "text/csv"
NUMBERS = ["1", "-2", "007", "+3", "1.5", "-.5", "2.", "1e3", "inf", "-Infinity"]
LARGE = ["9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616"]
GAPS = ["", "NA", "nan", "null", "None"]
TRUTHS = ["True", "False", "TRUE", "false"]
TEXTS = ["x", "2020-01-01", " NA", "NAN", " inf", "0x1F", "1 2", "tRue", 'a "b" c', "é"]
QUOTED = ['"a,b"', '"two\nlines"', '"two\r\nlines"', '"say ""no"""', '"1"', '"NA"', '""', '"a"b', '"\n\n"']
KINDS = [
    NUMBERS[:2],
    NUMBERS,
    [*NUMBERS[:2], *GAPS],
    TRUTHS,
    [*TRUTHS, *GAPS],
    GAPS,
    TEXTS,
    QUOTED,
    [*LARGE, "1", "-1"],
    [*LARGE, "1.5", ""],
    [*NUMBERS, *GAPS, *TRUTHS, *TEXTS, *QUOTED, 'x"y'],
]


@st.composite
def csv_texts(draw: st.DrawFn) -> bytes:
    """CSV with columns that hold one kind of thing, another one from some row on, and odd rows."""
    rows, columns = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    cells = []
    for _ in range(columns):
        first, later = draw(st.sampled_from(KINDS)), draw(st.sampled_from(KINDS))
        turn = draw(st.integers(0, 2 * rows))
        cells.append([draw(st.sampled_from(first if row < turn else later)) for row in range(rows)])
    names = draw(st.lists(st.sampled_from(["a", "b", '"c\nd"', "", "1"]), min_size=columns, max_size=columns))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [",".join(row) for row in [names, *zip(*cells, strict=True)]]
    lines = [part for line in lines for part in ([line, ""] if draw(st.integers(0, 9)) == 0 else [line])]
    text = ending.join(lines) + draw(st.sampled_from(["", ending]))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


@st.composite
def json_lines(draw: st.DrawFn) -> bytes:
    """NDJSON whose keys come and go, and hold anything."""
    kinds: Sequence[Sequence[Any]] = [
        [1, -2],
        [1, 2.5, None],
        [True, False],
        [True, None],
        ["x", ""],
        ["x", None],
        [None],
        [1, "x", True, [1], {"a": 1}, None, 2.5],
        [2**63, 1],
    ]
    columns = {name: draw(st.sampled_from(kinds)) for name in "abc"}
    rows = []
    for _ in range(draw(st.integers(1, 10))):
        names = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))
        rows.append(json.dumps({name: draw(st.sampled_from(columns[name])) for name in names}))
        rows += [""] * draw(st.sampled_from([0] * 9 + [5]))
    return "\n".join(rows).encode() + draw(st.sampled_from([b"", b"\n"]))


def read(
    tmp_path: Path, name: str, data: bytes, block_rows: int, *, expects: bool = False
) -> tuple[list[pd.DataFrame], Blocks | Whole]:
    """Return the tables of the blocks of a file, and what the look at it has found."""
    path = tmp_path / name
    path.write_bytes(data)
    # The look at the whole goes in blocks of its own.
    with mock.patch.object(plan, "BLOCK_BYTES", 10):
        found = plan.look(plan.settle(ScoreSettings(input=str(path), batch_rows=block_rows), None), expects=expects)
    if isinstance(found, Whole):
        return [tables.read(Payload(data, tables.media_type_of(name)))], found
    return [tables.read(found.payload(block)) for block in found.read(BEGINNING)], found


def check(tmp_path: Path, name: str, data: bytes, block_rows: int) -> None:
    """Compare blocks with the whole; where that cannot be read, blocks cannot either.

    Those of which only some rows have told the types are the whole as well, or cannot be read.
    """
    try:
        whole = tables.read(Payload(data, tables.media_type_of(name)))
    except InputError:
        with pytest.raises(InputError):
            read(tmp_path, name, data, block_rows)
        with pytest.raises(InputError):
            read(tmp_path, name, data, block_rows, expects=True)
        return
    compare(*read(tmp_path, name, data, block_rows), whole)
    with suppress(InputError):
        compare(*read(tmp_path, name, data, block_rows, expects=True), whole)


def compare(parts: Sequence[pd.DataFrame], found: Blocks | Whole, whole: pd.DataFrame) -> None:
    """Compare the tables of blocks with that of the whole."""
    if len(whole):
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_exact=True)
    if isinstance(found, Blocks):
        assert found.rows == (None if found.is_expected else len(whole))
        assert [list(part.columns) for part in parts] == [list(whole.columns)] * len(parts)


@pytest.mark.filterwarnings("ignore:In a future version, object-dtype columns:FutureWarning")
@given(csv_texts(), st.integers(1, 5))
@settings(max_examples=60)
@example(b"a\n\n9223372036854775807\n\n18446744073709551616\n\nx\n", 1)
@example(b"a\n\nTrue\n\n9223372036854775808\n", 1)
@example(b"a,a\n\n1,True\n\n1,True\n\n1,\n", 1)
@example(b"a,b\n1,x\n2,y\n3.5,z\n", 1)
@example(b'a,b\n"x\n1",2\n"y""\n",3\n', 1)
def test_csv_in_blocks_is_the_whole(tmp_path_factory: pytest.TempPathFactory, data: bytes, block_rows: int) -> None:
    check(tmp_path_factory.mktemp("csv"), "input.csv", data, block_rows)


@pytest.mark.parametrize(
    "values",
    [
        ["-0", "1", "", "-0"],
        ["-0", "0.5", "", "-0"],
        ["-0.0", "1", "", "3"],
        ["-0", "1"],
        ["-0.0", "", "-0", "", "-0.0", ""],
        ["-0", "", "-0.0", ""],
    ],
)
@pytest.mark.parametrize("line", ["%s,x", "%s", '%s,"2-0"'])
def test_zeros_of_blocks_have_the_signs_of_the_whole(tmp_path: Path, values: Sequence[str], line: str) -> None:
    data = "\n".join([line % "a", *(line % value for value in values)]).encode()
    whole = tables.read(Payload(data, CSV))["a"]
    parts = [part["a"] for part in read(tmp_path, "input.csv", data, 2)[0]]
    assert list(map(str, pd.concat(parts))) == list(map(str, whole))


@pytest.mark.filterwarnings("ignore:In a future version, object-dtype columns:FutureWarning")
@given(json_lines(), st.integers(1, 4))
@settings(max_examples=40)
@example(b"\n" * 20 + b'{"a":1}\n' + b"\n" * 20 + b'{"a":2}\n', 1)
@example(b'{"a":1}\n{"c":true}\n', 1)
def test_ndjson_in_blocks_is_the_whole(tmp_path_factory: pytest.TempPathFactory, data: bytes, block_rows: int) -> None:
    check(tmp_path_factory.mktemp("ndjson"), "input.ndjson", data, block_rows)
