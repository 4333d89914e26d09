"""Types that the first and the last rows of a file have told, also where the rows between do not have them."""

from __future__ import annotations

import errno
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from custom_model_runner.batch import plan, text
from custom_model_runner.batch.blocks import Block
from custom_model_runner.batch.expecting import BEGINS_ANEW
from custom_model_runner.batch.segments import Segment
from custom_model_runner.batch.sources import Watched
from custom_model_runner.batch.store import Store
from custom_model_runner.batch.tally import Tally
from custom_model_runner.errors import InputError, RunnerError

from ..folders import pickled, plant
from .runs import score

ROWS = 80


def digests(table: pd.DataFrame) -> list[list[float]]:
    """Return a number for each row that tells what its value is for Python, and how it is spelled."""
    return [[float(zlib.crc32(f"{type(value).__name__} {value}".encode()))] for value in table["a"].tolist()]


MODEL = make_pipeline(FunctionTransformer(digests), LinearRegression()).fit(
    pd.DataFrame({"a": [1, 2], "b": "y"}), [1, 2]
)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLOCK_BYTES", "LEAST_BLOCK_BYTES", "SMALL_BYTES"):
        monkeypatch.setattr(plan, name, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plant(tmp_path / "code", {"model.pkl": pickled(MODEL)})


def rows_file(folder: Path, between: str, *, name: str = "in.csv") -> Path:
    """Write rows with a column of integers, but for one between them."""
    values = [*[str(row % 10) for row in range(ROWS)], between, "5"] + ["6"] * ROWS
    content = "".join(f"{value},y\n" for value in values)
    return plant(folder.parent, {name: f"a,b\n{content}"}) / name


def lines_file(folder: Path, between: str, *, name: str = "in.ndjson") -> Path:
    """Write records with an integer and text, but for one line between them."""
    values = [*[f'{{"a":{row % 10},"b":"y"}}' for row in range(ROWS)], between] + ['{"a":6,"b":null}'] * ROWS
    return plant(folder.parent, {name: "".join(f"{value}\n" for value in values)}) / name


def to_file(folder: Path, source: Path, **given: Any) -> bytes:
    """Run a batch, and return the file that it made."""
    output = folder.parent / "out.csv"
    score(folder, source, output=output, **given)
    return output.read_bytes()


@contextmanager
def stopped_in_block(number: int) -> Iterator[None]:
    """Have a run be interrupted when it keeps a block."""
    add = Store.add

    def interrupted(store: Store, block: Block, segment: Segment) -> None:
        if block.number == number:
            raise KeyboardInterrupt
        add(store, block, segment)

    with mock.patch.object(Store, "add", interrupted), pytest.raises(KeyboardInterrupt):
        yield


def check_begins_anew(folder: Path, source: Path, workers: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Compare a run with that of the whole, and see that it began anew once."""
    whole = to_file(folder, source, whole_file=True)
    assert to_file(folder, source, workers=workers) == whole
    assert capsys.readouterr().err.count(BEGINS_ANEW) == 1


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("is_ndjson", [False, True])
def test_a_file_of_one_kind_is_not_looked_at(folder: Path, is_ndjson: bool, workers: int) -> None:
    source = lines_file(folder, "") if is_ndjson else rows_file(folder, "7")
    whole = to_file(folder, source, whole_file=True)
    with mock.patch.object(text, "look", side_effect=AssertionError):
        assert to_file(folder, source, workers=workers) == whole


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("between", ["x", "1.0", "", "true", "99999999999999999999"])
def test_a_value_between_that_contradicts_has_the_run_begin_anew(
    folder: Path, between: str, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    check_begins_anew(folder, rows_file(folder, between), workers, capsys)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "between",
    [
        *('{"a":"x","b":"y"}', '{"a":1.0,"b":"y"}', '{"b":"y"}', '{"a":null,"b":"y"}', '{"a":true,"b":"y"}'),
        *('{"a":9223372036854775808,"b":"y"}', '{"a":1,"b":[1]}', '{"a":1,"b":2}', '{"a":1,"b":"y","c":1}'),
    ],
)
def test_a_record_between_that_contradicts_has_the_run_begin_anew(
    folder: Path, between: str, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    check_begins_anew(folder, lines_file(folder, between), workers, capsys)


@pytest.mark.parametrize("workers", [1, 2])
def test_bytes_tell_how_many_rows_a_file_has_that_is_not_looked_at(folder: Path, workers: int) -> None:
    tally = Tally()
    to_file(folder, rows_file(folder, "7"), workers=workers, tally=tally)
    # The header has as many bytes as a row.
    assert (tally.total, tally.about) == (None, 1 + 2 * ROWS + 2)


def test_a_broken_record_is_told_as_a_look_tells_it(folder: Path) -> None:
    source = lines_file(folder, '{"a":1}{"a":2}')
    with pytest.raises(InputError, match=f"in.ndjson: The NDJSON input is broken or cut short at line {ROWS + 1}"):
        to_file(folder, source)


def test_a_file_whose_last_rows_differ_is_looked_at_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = rows_file(folder, "7")
    source.write_text(source.read_text() + "x,y\n")
    whole = to_file(folder, source, whole_file=True)
    assert to_file(folder, source) == whole
    assert BEGINS_ANEW not in capsys.readouterr().err


def test_a_run_that_was_interrupted_before_the_contradiction_begins_anew_when_it_meets_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = rows_file(folder, "x")
    whole = to_file(folder, source, whole_file=True)
    with stopped_in_block(2):
        to_file(folder, source)
    assert to_file(folder, source, resume=True) == whole
    told = capsys.readouterr().err
    assert told.index("going on from") < told.index(BEGINS_ANEW)
    assert "thrown away" not in told


def test_rows_that_fail_with_a_type_that_is_not_theirs_are_predicted_with_the_right_one(folder: Path) -> None:
    texts = pd.DataFrame({"a": [*map(str, range(10)), "x"], "b": "y"})
    # It knows texts only, and takes no integers.
    plant(folder, {"model.pkl": pickled(make_pipeline(OneHotEncoder(), LinearRegression()).fit(texts, range(11)))})
    source = rows_file(folder, "x")
    assert to_file(folder, source) == to_file(folder, source, whole_file=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_that_fail_with_the_right_types_do_not_cost_those_before(
    folder: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = pd.DataFrame({"a": [0.5, 1.5]})
    plant(folder, {"model.pkl": pickled(LinearRegression().fit(numbers, [1, 2]))})
    values = "0.5\n" * ROWS
    source = plant(folder.parent, {"in.csv": f"a\n{values}inf\n{values}"}) / "in.csv"
    with pytest.raises(RunnerError, match=f"row {ROWS + 1}"):
        to_file(folder, source, workers=workers)
    told = capsys.readouterr().err
    assert BEGINS_ANEW not in told
    assert "rows are kept" in told
    resumed = to_file(folder, source, workers=workers, resume=True, on_error="skip", rejects=folder.parent / "bad.csv")
    assert (len(resumed.splitlines()), BEGINS_ANEW in capsys.readouterr().err) == (1 + 2 * ROWS, False)


def test_a_run_that_goes_on_past_rows_that_fail_does_not_reject_them_for_types_that_are_not_theirs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = rows_file(folder, "1.5")
    whole = to_file(folder, source, whole_file=True)
    with stopped_in_block(2):
        to_file(folder, source)
    assert to_file(folder, source, resume=True, on_error="skip", rejects=folder.parent / "bad.csv") == whole
    assert capsys.readouterr().err.count(BEGINS_ANEW) == 1


def test_a_file_that_cannot_be_read_for_a_while_costs_no_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, size = rows_file(folder, "7"), 100
    whole = to_file(folder, source, whole_file=True)
    read = Watched.read

    def failing(file: Watched, _: int) -> bytes:
        data = read(file, size)
        # Not while it is looked at.
        if threading.current_thread().name == "batch-ahead" and file._file.tell() > source.stat().st_size // 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return data

    with mock.patch.object(Watched, "read", failing), pytest.raises(RunnerError, match=os.strerror(errno.EIO)):
        to_file(folder, source)
    told = capsys.readouterr().err
    assert BEGINS_ANEW not in told
    assert "rows are kept" in told
    assert to_file(folder, source, resume=True) == whole


def test_what_is_wrong_is_told_as_a_look_tells_it(folder: Path) -> None:
    source = rows_file(folder, "7,8,9")
    with pytest.raises(RunnerError, match=f"line {ROWS + 2}, saw 4") as caught:
        to_file(folder, source)
    assert caught.value.exit_code == InputError.exit_code
    assert sorted(os.listdir(folder.parent)) == ["code", "in.csv"]


@pytest.mark.parametrize("given", [{"on_error": "skip", "rejects": "bad.csv"}, {}])
def test_types_are_not_expected_where_rows_that_are_predicted_twice_would_be_noticed(
    folder: Path, given: dict[str, Any]
) -> None:
    if given:
        given = {**given, "rejects": folder.parent / given["rejects"]}
    else:
        plant(folder, {"custom.py": "def transform(data, model):\n    return data\n"})
    with mock.patch.object(text, "expected", side_effect=AssertionError):
        to_file(folder, rows_file(folder, "7"), **given)
