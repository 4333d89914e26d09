"""Inputs that are broken, empty, endless, or change: one clear failure, and nothing half-written."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow.feather
import pytest

from custom_model_runner.batch import rows, text
from custom_model_runner.errors import InputError, PayloadTooLarge

from ..folders import plant
from .runs import score

HOOKS = """
    import pandas as pd

    def score(data, model, **kwargs):
        return data[["a"]].set_axis(["Predictions"], axis=1)
"""
FRAME = pd.DataFrame({"a": range(20_000), "b": [number / 3 for number in range(20_000)]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plant(tmp_path / "code", {"custom.py": HOOKS})


def write(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table in the format that a name tells."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, row_group_size=1000)
    elif path.suffix == ".arrow":
        pyarrow.feather.write_feather(frame, path, chunksize=1000)
    else:
        data = frame.to_csv(index=False).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def garble(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 3000 + data[middle + 3000 :]


@pytest.mark.parametrize("harm", [cut, garble])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in.parquet", "The Parquet input is broken or cut short"),
        ("in.arrow", "The Arrow input is broken or cut short"),
        ("in.csv.gz", "The gzip data is broken: it is cut short"),
    ],
)
def test_a_file_that_is_broken_in_its_middle_is_told_and_leaves_nothing(
    folder: Path, tmp_path: Path, name: str, message: str, harm: Callable[[bytes], bytes]
) -> None:
    path = write(tmp_path / name, FRAME)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError, match=message):
        score(folder, path, output=tmp_path / "out.csv", batch_rows=500)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "in.parquet", "in.arrow"])
@pytest.mark.parametrize("workers", [1, 2])
def test_no_rows_give_a_table_without_rows(folder: Path, tmp_path: Path, name: str, workers: int) -> None:
    path = write(tmp_path / name, FRAME[:0].astype(float))
    score(folder, path, output=tmp_path / "out.parquet", batch_rows=2, workers=workers)
    assert pd.read_parquet(tmp_path / "out.parquet").shape == (0, 1)
    assert score(folder, path, batch_rows=2, workers=workers) == b"Predictions\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in.csv", "The CSV input is empty: a header line was expected"),
        ("in.parquet", "The Parquet input is "),
        ("in.arrow", "The Arrow input is "),
        ("in.ndjson", "The input has no columns"),
        ("in.csv.zst", "The CSV input is empty: a header line was expected"),
    ],
)
def test_a_file_without_a_byte_is_told_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    (tmp_path / name).touch()
    for block_rows in (None, 2):
        with pytest.raises(InputError, match=message):
            score(folder, tmp_path / name, batch_rows=block_rows)
    assert capsys.readouterr().err == ""


class Endless(io.RawIOBase):
    """A pipe whose last line has two gigabytes; it counts what was read of it."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.left = 2 << 30

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        assert size >= 0, "nobody may ask for all of it"
        if self.first:
            data, self.first = self.first[:size], self.first[size:]
            return data
        size = min(size, self.left)
        self.left -= size
        return b"x" * size


@pytest.mark.parametrize(("first", "line"), [(b"", 1), (b'"a', 1), (b"a\n1\n", 3), (b'a\n1\n"', 3)])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_line_of_two_gigabytes_is_refused_when_it_is_longer_than_a_row_may_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch, first: bytes, line: int, form: str
) -> None:
    for module, name in ((rows, "MOST_BLOCK_BYTES"), (text, "SAMPLE_BYTES"), (text, "HEAD_BYTES")):
        monkeypatch.setattr(module, name, 1 << 20)
    if form == "ndjson":
        first = b'{"a": 1}\n' * (line - 1)
    pipe = Endless(first)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(cast("Any", pipe)))
    with pytest.raises(InputError, match=f"in line {line} of the input has over 1048576 bytes|line {line}"):
        score(folder, "-", input_format=form, batch_rows=1)
    assert (2 << 30) - pipe.left < 5 << 20


def test_a_file_of_one_endless_line_is_refused_too(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("wb") as file:
        # Sparse: it takes no room.
        file.truncate(2 << 30)
    with pytest.raises(PayloadTooLarge, match="The row in line 1 of the input has over 67108864 bytes, the limit"):
        score(folder, tmp_path / "in.csv", batch_rows=1)


SHRINKING = """
    import os, pathlib

    def score(data, model, **kwargs):
        for path in pathlib.Path(__file__).parent.parent.glob("in.*"):
            os.truncate(path, SIZE)
        return data[["a"]].set_axis(["Predictions"], axis=1)
"""


@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.arrow"])
def test_a_file_that_shrinks_while_it_is_read_is_told_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, pd.concat([FRAME] * 20))
    size = path.stat().st_size * 3 // 4
    folder = plant(tmp_path / "code", {"custom.py": SHRINKING.replace("SIZE", str(size))})
    with pytest.raises(InputError, match=r"was changed while it was read|is broken or cut short"):
        score(folder, path, output=tmp_path / "out.csv", batch_rows=20_000)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.csv.gz"])
def test_what_is_no_table_is_told_with_its_file(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=f"^{name}: The "):
        score(folder, tmp_path / name)


def test_an_empty_file_among_others_is_told_to_be_empty(folder: Path, tmp_path: Path) -> None:
    plant(tmp_path, {"parts/a.csv": "a\n1\n", "parts/b.csv": ""})
    with pytest.raises(InputError, match=r"^b\.csv: The file is empty, expected a header line$"):
        score(folder, tmp_path / "parts")
