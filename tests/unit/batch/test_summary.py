"""The summary of a batch."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from custom_model_runner.batch import heads, summary
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.batch.tally import LOAD, LOOK, PREDICT, WRITE, Tally
from custom_model_runner.data.stages import Stages
from custom_model_runner.errors import RunnerError, UsageError


def joined(found: Iterator[Segment], out: BinaryIO, head: bytes) -> None:
    for segment in found:
        out.write(segment.body)


def test_it_tells_what_was_counted() -> None:
    clock = iter((0.0, 1.0, 1.5, 3.5, 4.0))
    tally = Tally(stages=Stages(lambda: next(clock)), rejected_rows=1, resumed_rows=4)
    tally.reading(io.BytesIO(b"12345")).read(100)
    tally.stages.end(LOAD)
    tally.stages.end(LOOK)
    out = io.BytesIO()
    found = tally.counted(iter([Segment(5, b"", b"abc"), Segment(3, b"", b"de")]))
    form = Form(lambda _: Segment(0, b"", b""), joined, heads.in_text)
    tally.writing(form).assemble(found, out, b"")
    tally.stages.end(WRITE)
    tally.note_memory(7)
    tally.note_memory(3)
    assert json.loads(summary.text(tally)) == {
        "rows": 12,
        "resumed_rows": 4,
        "rejected_rows": 1,
        "blocks": 2,
        "seconds": 4.0,
        "rows_per_second": 2.0,
        "bytes_in": 5,
        "bytes_out": 5,
        "peak_memory_bytes": 7,
        "stages": {LOAD: 1.0, LOOK: 0.5, PREDICT: 2.0, WRITE: 0.5},
    }
    assert (out.getvalue(), summary.text(tally).count("\n")) == (b"abcde", 1)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("-", "--summary: results go to standard output; expected a file, or --output FILE for the results"),
        ("in.csv", "--summary: 'in.csv' is the input file itself"),
        (".", "--summary: '.' is a directory, expected a file"),
        ("gone/s.json", "--summary: the directory "),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.csv").touch()
    with pytest.raises(UsageError) as caught:
        summary.check(place, None, "in.csv")
    assert str(caught.value).startswith(found)


def test_the_output_is_no_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the output itself"):
        summary.check(str(tmp_path / "out.csv"), tmp_path / "out.csv", "-")


def test_the_file_of_rejects_is_no_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bad\.csv' is the file of --rejects itself"):
        summary.check(str(tmp_path / "bad.csv"), tmp_path / "out.csv", "-", rejects=tmp_path / "bad.csv")


@pytest.mark.parametrize("place", [None, "", "-"])
def test_streams_beside_an_output_are_fine(tmp_path: Path, place: str | None) -> None:
    summary.check(place, tmp_path / "out.csv", "-")


def test_a_summary_that_cannot_be_written_does_not_speak_of_the_output() -> None:
    stages = Stages(itertools.count().__next__)
    stages.end(LOAD)
    told = r"^--summary: '/dev/full' cannot be written: No space left on device; the results are complete$"
    with pytest.raises(RunnerError, match=told):
        summary.write("/dev/full", Tally(stages=stages), stdout=1)
