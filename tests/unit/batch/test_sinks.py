"""Where a batch goes: complete, or not at all."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from custom_model_runner.batch import sinks
from custom_model_runner.errors import RunnerError, Terminated, UsageError

from ..folders import plant


def refuse(error: BaseException) -> None:
    raise error


def test_a_new_file_is_written(tmp_path: Path) -> None:
    sinks.write(tmp_path / "out", b"data")
    assert (tmp_path / "out").read_bytes() == b"data"


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    sinks.write(plant(tmp_path, {"out": "much older data"}) / "out", b"data")
    assert (tmp_path / "out").read_bytes() == b"data"


def test_a_file_that_somebody_reads_is_replaced_and_not_rewritten(tmp_path: Path) -> None:
    with (plant(tmp_path, {"out": "old"}) / "out").open("rb") as reader:
        sinks.write(tmp_path / "out", b"data")
        assert reader.read() == b"old"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Terminated(), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    plant(tmp_path, {"out": "old"})
    monkeypatch.setattr(os, "replace", lambda *_: refuse(error))
    with pytest.raises((RunnerError, Terminated, KeyboardInterrupt)):
        sinks.write(tmp_path / "out", b"data")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_that_cannot_be_written_is_an_error_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", lambda *_: refuse(OSError(28, "No space left on device")))
    with pytest.raises(RunnerError, match=r"--output: '.*out' cannot be written: No space left on device"):
        sinks.write(tmp_path / "out", b"data")


@pytest.mark.parametrize("flag", ["--output", "--rejects", "--summary"])
def test_a_place_where_nothing_can_be_written_is_told_before_anything_is_done(flag: str) -> None:
    # Not even by who may do everything.
    with pytest.raises(RunnerError, match=f"^{flag}: '/proc/x.csv' cannot be written: "):
        sinks.choose(Path("/proc/x.csv"), "-", flag=flag)


def test_trying_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    sinks.choose(tmp_path / "out.csv", "-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    plant(tmp_path, {"out": "old"})
    (tmp_path / "out").chmod(mode)
    sinks.write(tmp_path / "out", b"data")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    sinks.write(tmp_path / "out", b"data")
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


def test_nobody_may_read_a_file_before_it_is_complete_who_may_not_read_the_one_it_replaces(tmp_path: Path) -> None:
    (plant(tmp_path, {"out": "old"}) / "out").chmod(0o600)
    with sinks.replacing(tmp_path / "out"):
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_the_mask_of_modes_is_left_alone_for_other_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "umask")
    sinks.write(tmp_path / "out", b"data")
    sinks.place(tmp_path / "other", b"data")


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    plant(tmp_path, {"real": "old"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    sinks.write(tmp_path / "link", b"data")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_bytes()) == (True, b"data")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    sinks.write(tmp_path / "pipe", b"data")
    reader.join()
    assert (received, (tmp_path / "pipe").is_fifo()) == ([b"data"], True)


def test_a_pipe_without_a_path_is_written_to() -> None:
    reader, writer = os.pipe()
    sinks.write(Path(f"/dev/fd/{writer}"), b"data")
    os.close(writer)
    with open(reader, "rb") as file:
        assert file.read() == b"data"


def test_a_pipe_without_a_path_is_accepted_as_output() -> None:
    reader, writer = os.pipe()
    sinks.choose(Path(f"/dev/fd/{writer}"), "-")
    os.close(reader)
    os.close(writer)


def test_a_device_is_written_to_and_not_replaced() -> None:
    sinks.write(Path(os.devnull), b"data")
    assert Path(os.devnull).is_char_device()


def test_the_input_itself_is_refused_as_output(tmp_path: Path) -> None:
    source = plant(tmp_path, {"data.csv": "a\n1\n"}) / "data.csv"
    with pytest.raises(UsageError, match="is the input file itself"):
        sinks.choose(source, str(source))


@pytest.mark.parametrize("make", ["symlink_to", "hardlink_to"])
def test_the_input_under_another_name_is_refused_as_output(tmp_path: Path, make: str) -> None:
    source = plant(tmp_path, {"data.csv": "a\n1\n"}) / "data.csv"
    other = tmp_path / "other.csv"
    getattr(other, make)(source)
    with pytest.raises(UsageError, match="is the input file itself"):
        sinks.choose(other, str(source))


@pytest.mark.parametrize(
    ("source", "output", "is_among"),
    [
        ("parts", "parts/out.csv", True),
        ("parts/", "parts/../parts/out.csv", True),
        ("parts/*.csv", "parts/out.csv", True),
        ("**/*.csv", "parts/more/out.csv", True),
        ("parts/*.csv", "parts/out.parquet", False),
        ("*/in*.csv", "parts/out.csv", False),
        ("parts/*.csv", "parts/more/out.csv", False),
        ("parts", "parts/more/out.csv", False),
        ("parts", "parts/_out.csv", False),
    ],
)
def test_an_output_that_would_be_input_next_time_is_refused(
    tmp_path: Path, source: str, output: str, is_among: bool
) -> None:
    plant(tmp_path, {"parts/in.csv": "a\n1\n", "parts/more/in.csv": "a\n1\n"})
    with (
        pytest.raises(UsageError, match=r"^--output: '.*' would be among the files of --input, expected another place")
        if is_among
        else nullcontext()
    ):
        sinks.choose(tmp_path / output, f"{tmp_path}/{source}")


def test_a_directory_is_refused_as_output(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory, expected a file"):
        sinks.choose(tmp_path, "-")


def test_an_output_in_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the directory '.*gone' is not there"):
        sinks.choose(tmp_path / "gone" / "out", "-")


@pytest.mark.parametrize("output", [None, Path("new.csv")])
def test_any_other_output_is_accepted(tmp_path: Path, output: Path | None) -> None:
    source = plant(tmp_path, {"data.csv": "a\n1\n"}) / "data.csv"
    sinks.choose(output and tmp_path / output, str(source))


def test_a_refused_output_is_not_touched(tmp_path: Path) -> None:
    source = plant(tmp_path, {"data.csv": "a\n1\n"}) / "data.csv"
    with pytest.raises(UsageError):
        sinks.choose(source, str(source))
    assert source.read_text() == "a\n1\n"


@pytest.mark.parametrize("output", [Path("/dev/stdout"), Path("/dev/fd/1"), Path("/proc/self/fd/1")])
def test_standard_output_has_several_names(output: Path) -> None:
    assert sinks.choose(output, "-") is None


@contextmanager
def diverted() -> Iterator[int]:
    """Divert standard output for the length of a `with`; a command does it for good."""
    before = os.dup(1)
    results = sinks.divert_stdout()
    try:
        yield results
    finally:
        os.dup2(before, 1)
        os.close(before)
        os.close(results)


def test_prints_go_to_standard_error_while_results_go_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with diverted() as stdout:
        os.write(1, b"printed\n")
        sinks.emit(None, b"result\n", stdout=stdout)
    assert capfd.readouterr() == ("result\n", "printed\n")


def test_standard_output_without_room_is_told() -> None:
    with (
        open("/dev/full", "wb") as full,
        pytest.raises(RunnerError, match=r"^Standard output cannot be written: No sp"),
    ):
        sinks.emit(None, b"result\n", stdout=full.fileno())


def test_a_result_for_a_file_is_not_on_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with diverted() as stdout:
        sinks.emit(tmp_path / "out", b"result\n", stdout=stdout)
    assert ((tmp_path / "out").read_bytes(), capfd.readouterr().out) == (b"result\n", "")
