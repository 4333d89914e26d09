"""How far `drum score` is, on a terminal, and what it tells in the end."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .conftest import Drum, Plant, Start

# The fourth block is not scored before the test has seen that three were.
HOOKS = """
    import pathlib, time

    def score(data, model, **kwargs):
        while data["a"].min() >= 300 and not pathlib.Path(__file__).with_name("go").exists():
            time.sleep(0.01)
        return data[["a"]].set_axis(["Predictions"], axis=1)
"""
ROWS = 1000
BLOCKS = ("--target-type", "regression", "--batch-rows", "100")


@pytest.fixture
def folder(plant: Plant) -> Path:
    return plant("code", {"custom.py": HOOKS})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of ten blocks."""
    path = tmp_path / "in.csv"
    path.write_text("a\n" + "".join(f"{number}\n" for number in range(ROWS)))
    return path


def read_until(master: int, words: bytes) -> bytes:
    """Return what was written to a terminal until it has these words, or until its last writer is gone."""
    shown = b""
    with suppress(OSError):
        while words not in shown:
            shown += os.read(master, 65536)
    return shown


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_terminal_shows_on_one_line_how_far_a_run_is(start: Start, folder: Path, source: Path, workers: str) -> None:
    master, slave = pty.openpty()
    words = ("--input", source, "--output", source.with_name("out.csv"), *BLOCKS, "--workers", workers)
    process = start("score", "-cd", folder, *words, stderr=slave)
    os.close(slave)
    shown = read_until(master, b"300 of 1,000 rows, ")
    (folder / "go").touch()
    rest = read_until(master, b"never shown")
    os.close(master)
    assert process.wait(60) == 0
    assert b"\rdrum: 300 of 1,000 rows, " in shown
    line = (shown + rest).split(b"300 of 1,000 rows, ")[1].split(b"\r")[0].decode()
    assert [part.split()[-1] for part in line.split(", ")] == ["30%", "rows/s", "left", "MiB"]
    # In the end the line is blank again, and nothing was written below it.
    assert (shown + rest).split(b"\r")[-2:][0].strip() == b""
    assert b"\n" not in shown + rest
    assert source.with_name("out.csv").read_bytes().count(b"\n") == 1 + ROWS


def test_a_failure_has_a_line_of_its_own(start: Start, plant: Plant, source: Path) -> None:
    master, slave = pty.openpty()
    folder = plant("broken", {"custom.py": "def score(data, model, **kwargs):\n    1 / 0\n"})
    process = start("score", "-cd", folder, "--input", source, *BLOCKS, stderr=slave)
    os.close(slave)
    shown = read_until(master, b"never shown")
    os.close(master)
    assert process.wait(60) == 5
    assert shown.split(b"\r")[-2].startswith(b"drum: error: Rows 1 to 100 of 'in.csv': ")


@pytest.mark.parametrize("switch", [["--no-progress"], []])
def test_only_a_terminal_shows_it_and_a_switch_turns_it_off(
    start: Start, drum: Drum, folder: Path, source: Path, switch: list[str]
) -> None:
    (folder / "go").touch()
    words = ("score", "-cd", folder, "--input", source, "--output", source.with_name("out.csv"), *BLOCKS, *switch)
    if not switch:
        assert drum(*words).stderr == b""
        return
    master, slave = pty.openpty()
    process = start(*words, stderr=slave)
    os.close(slave)
    assert (read_until(master, b"never shown"), process.wait(60)) == (b"", 0)
    os.close(master)


@pytest.fixture
def summarised(drum: Drum, folder: Path, source: Path) -> Callable[..., dict[str, Any]]:
    """Return the summary of a run with further words."""
    (folder / "go").touch()

    def run(*words: str | Path, given: str | Path = source, data: bytes = b"") -> dict[str, Any]:
        output = source.with_name("out.csv")
        done = drum("score", "-cd", folder, "--input", given, "--output", output, *words, "--summary", stdin=data)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (0, b"", 1)
        told: dict[str, Any] = json.loads(done.stderr)
        assert told["bytes_out"] == output.stat().st_size
        assert told["seconds"] == pytest.approx(sum(told["stages"].values()), abs=0.01)
        assert told["rows_per_second"] == pytest.approx(told["rows"] / told["seconds"], rel=0.01)
        assert 30e6 < told["peak_memory_bytes"] < 2e9
        return told

    return run


Summarised = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_summary_of_blocks_counts_them(summarised: Summarised, source: Path, workers: str) -> None:
    told = summarised(*BLOCKS, "--workers", workers)
    assert (told["rows"], told["blocks"], told["rejected_rows"]) == (ROWS, 10, 0)
    assert told["bytes_in"] == source.stat().st_size
    assert list(told["stages"]) == ["load", "look", "predict", "write"]


def test_the_summary_of_a_pipe_counts_its_bytes(summarised: Summarised, source: Path) -> None:
    told = summarised(*BLOCKS, given="-", data=source.read_bytes())
    assert (told["rows"], told["bytes_in"]) == (ROWS, source.stat().st_size)


@pytest.mark.parametrize("given", ["file", "-"])
def test_the_summary_of_what_is_handed_over_as_a_whole(summarised: Summarised, source: Path, given: str) -> None:
    data = source.read_bytes() if given == "-" else b""
    told = summarised(*BLOCKS[:2], "--whole-file", given=given if data else source, data=data)
    assert (told["rows"], told["blocks"], told["bytes_in"]) == (ROWS, 1, source.stat().st_size)


def test_the_summary_may_go_to_a_file_or_to_standard_output(drum: Drum, folder: Path, source: Path) -> None:
    (folder / "go").touch()
    place = source.with_name("summary.json")
    done = drum("score", "-cd", folder, "--input", source, *BLOCKS, "--summary", place)
    assert (done.stdout.count(b"\n"), done.stderr, json.loads(place.read_text())["rows"]) == (1 + ROWS, b"", ROWS)
    words = ("--output", source.with_name("out.csv"), "--summary", "-")
    done = drum("score", "-cd", folder, "--input", source, *BLOCKS, *words)
    assert (done.stderr, json.loads(done.stdout)["rows"]) == (b"", ROWS)


def test_a_run_that_fails_has_no_summary(drum: Drum, plant: Plant, source: Path) -> None:
    folder = plant("broken", {"custom.py": "def score(data, model, **kwargs):\n    1 / 0\n"})
    done = drum("score", "-cd", folder, "--input", source, *BLOCKS, "--summary")
    assert (done.returncode, done.stderr.count(b"\n"), done.stderr[:12]) == (5, 1, b"drum: error:")
