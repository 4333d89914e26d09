"""Reports on standard output."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.monitoring import standard_output
from custom_model_runner.monitoring.destination import Destination

from .reports import SUBJECT, counted, sampled


def test_reports_are_lines(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        sink = standard_output.prepare(Destination(SUBJECT, "stdout", stdout=out.fileno()))()
        sink.write(counted(1), 0)
        sink.write(counted(2), 3)
    records = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [(record["num_predictions"], record["dropped"]) for record in records] == [(1, 0), (2, 3)]


def test_long_lines_of_several_processes_stay_whole() -> None:
    read, write = os.pipe()
    open_sink = standard_output.prepare(Destination(SUBJECT, "stdout", stdout=write))

    def report_often() -> None:
        for _ in range(30):
            open_sink().write(sampled(3000), 0)

    children = [multiprocessing.get_context("fork").Process(target=report_often) for _ in range(3)]
    for child in children:
        child.start()
    os.close(write)
    with open(read, "rb") as pipe:
        rows = [json.loads(line)["rows"] for line in pipe]
    for child in children:
        child.join()
    assert rows == [3000] * 90


def test_where_results_go_there_reports_cannot() -> None:
    with pytest.raises(UsageError, match="needs --output"):
        standard_output.prepare(Destination(SUBJECT, "stdout", stdout=None))


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(UsageError, match="stdout has no setting directory; it has none"):
        standard_output.prepare(Destination(SUBJECT, "stdout", {"directory": "x"}, stdout=1))


def test_a_reader_that_went_away_is_an_error_that_says_so() -> None:
    read, write = os.pipe()
    os.close(read)
    sink = standard_output.prepare(Destination(SUBJECT, "stdout", stdout=write))()
    with pytest.raises(RunnerError, match="cannot be written to standard output: Broken pipe"):
        sink.write(counted(1), 0)
    os.close(write)
