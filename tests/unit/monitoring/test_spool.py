"""Files of reports: bounded, whole lines, old ones deleted, open ones never."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.monitoring import json_lines, spool
from custom_model_runner.monitoring.destination import Destination
from custom_model_runner.monitoring.spool import Spool

from .reports import SUBJECT, counted

LINE = len(b"".join(json_lines.write(counted(1), SUBJECT, dropped=0)))


def files(directory: Path) -> list[list[int]]:
    """What each file holds, oldest first."""
    found = sorted(directory.glob("mlops-*.jsonl"))
    return [[json.loads(line)["num_predictions"] for line in path.read_text().splitlines()] for path in found]


def named(directory: Path | str, **settings: str) -> Destination:
    return Destination(SUBJECT, "filesystem", {"directory": str(directory), **settings})


def test_reports_are_lines_of_one_file(tmp_path: Path) -> None:
    one = Spool(tmp_path, SUBJECT)
    for number in range(3):
        one.write(counted(number), 0)
    one.close()
    assert files(tmp_path) == [[0, 1, 2]]


def test_what_was_lost_is_written(tmp_path: Path) -> None:
    Spool(tmp_path, SUBJECT).write(counted(1), 5)
    [path] = tmp_path.iterdir()
    assert json.loads(path.read_text())["dropped"] == 5


def test_a_file_is_left_before_it_grows_too_large(tmp_path: Path) -> None:
    one = Spool(tmp_path, SUBJECT, most_bytes=2 * LINE)
    for number in range(1, 6):
        one.write(counted(number), 0)
    assert files(tmp_path) == [[1, 2], [3, 4], [5]]


def test_a_line_larger_than_a_file_has_a_file_of_its_own(tmp_path: Path) -> None:
    one = Spool(tmp_path, SUBJECT, most_bytes=1)
    one.write(counted(1), 0)
    one.write(counted(2), 0)
    assert files(tmp_path) == [[1], [2]]


def test_the_oldest_files_are_deleted(tmp_path: Path) -> None:
    one = Spool(tmp_path, SUBJECT, most_files=2, most_bytes=LINE)
    for number in range(1, 6):
        one.write(counted(number), 0)
    assert files(tmp_path) == [[4], [5]]


def test_files_that_are_open_or_of_others_are_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "keep.jsonl").touch()
    (tmp_path / "mlops-20200101T000000.000000Z-1.jsonl").touch()
    still_open = Spool(tmp_path, SUBJECT)
    still_open.write(counted(1), 0)
    busy = Spool(tmp_path, SUBJECT, most_files=1, most_bytes=LINE)
    for number in range(2, 5):
        busy.write(counted(number), 0)
    still_open.write(counted(9), 0)
    assert files(tmp_path) == [[1, 9], [4]]
    assert (tmp_path / "keep.jsonl").exists()


def test_a_reader_may_delete_what_is_there(tmp_path: Path) -> None:
    one = Spool(tmp_path, SUBJECT, most_bytes=LINE)
    one.write(counted(1), 0)
    for path in tmp_path.iterdir():
        path.unlink()
    one.write(counted(2), 0)
    assert files(tmp_path) == [[2]]


def test_a_line_that_the_disk_cut_short_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Spool(tmp_path, SUBJECT)
    one.write(counted(1), 0)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:10]))
    with pytest.raises(RunnerError, match="No space left on device"):
        one.write(counted(2), 0)
    monkeypatch.undo()
    one.write(counted(3), 0)
    assert files(tmp_path) == [[1], [3]]


def test_a_directory_that_went_away_is_an_error_and_back_again_is_none(tmp_path: Path) -> None:
    place = tmp_path / "spool"
    one = Spool(place, SUBJECT)
    with pytest.raises(RunnerError, match=r"cannot be written to '.*spool': No such file"):
        one.write(counted(1), 0)
    place.mkdir()
    one.write(counted(2), 1)
    assert files(place) == [[2]]


def test_a_directory_is_made_and_private(tmp_path: Path) -> None:
    spool.prepare(named(tmp_path / "a" / "b"))().write(counted(1), 0)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert files(tmp_path / "a" / "b") == [[1]]


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    spool.prepare(named(tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_bounds_are_settings(tmp_path: Path) -> None:
    sink = spool.prepare(named(tmp_path, max_files="2", file_max_size=str(LINE)))()
    for number in range(1, 6):
        sink.write(counted(number), 0)
    sink.close()
    assert files(tmp_path) == [[4], [5]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_files": "0"}, "--monitor-settings: max_files: '0' is not a whole number above 0"),
        ({"file_max_size": "10MB"}, "--monitor-settings: file_max_size: '10MB' is not a whole number above 0"),
        ({"dir": "x"}, "filesystem has no setting dir; expected among: directory, max_files, file_max_size"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        spool.prepare(named(tmp_path, **settings))
    assert str(caught.value).endswith(words)


@pytest.mark.parametrize(("name", "reason"), [("file", "it is no directory"), ("file/below", "Not a directory")])
def test_a_place_that_cannot_be_a_directory_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=f"the directory '.*{name}' cannot be made: {reason}"):
        spool.prepare(named(tmp_path / name))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path / f"drum-mlops-{os.getuid()}"


def unnamed() -> Any:
    return spool.prepare(Destination(SUBJECT, "filesystem"))


def test_without_a_directory_there_is_a_private_one_which_is_told(
    temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    unnamed()().write(counted(1), 0)
    assert files(temporary) == [[1]]
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
    assert capfd.readouterr().err == f"drum: MLOps reports go to {temporary}\n"


def test_a_default_directory_that_others_can_enter_is_refused(temporary: Path) -> None:
    temporary.mkdir()
    temporary.chmod(0o755)
    with pytest.raises(UsageError, match="is open to others"):
        unnamed()


def test_a_link_in_the_place_of_the_default_directory_is_refused(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    temporary.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is open to others"):
        unnamed()
