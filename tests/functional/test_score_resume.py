"""Batches that signals, a full disk or a second run disturb: no half file, and the same command goes on."""

from __future__ import annotations

import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import COMMAND, Drum, Plant, Start, environment

ROWS = 60
SECONDS = 60
# Stops at a row as long as a file is there, as its text says, and tells that it has.
HOOKS = """
    import os, pathlib, signal, time
    import pandas as pd

    BESIDE = pathlib.Path(__file__).parent.with_name("beside")

    def score(data, model, **kwargs):
        if (BESIDE / "does").exists() and data["a"].max() >= 35:
            (BESIDE / "stopped").touch()
            # Text that is interrupted would have Python end by the signal.
            exec(compile((BESIDE / "does").read_text(), "does", "exec"))
        with (BESIDE / "seen").open("a") as file:
            file.writelines(f"{value}\\n" for value in data["a"])
        return pd.DataFrame({"Predictions": data["a"] / 3, "wide": "x" * 100})
"""


class Case:
    """A batch of six blocks beside what its hook looks at."""

    def __init__(self, root: Path, workers: int = 1) -> None:
        self.root, self.beside, self.output = root, root / "beside", root / "out.csv"
        self.beside.mkdir()
        (root / "in.csv").write_text("a\n" + "".join(f"{row}\n" for row in range(ROWS)))
        words = ["score", "-cd", "code", "--input", "in.csv", "--output", "out.csv", "--target-type", "regression"]
        paths = [str(root / word) if word in ("code", "in.csv", "out.csv") else word for word in words]
        self.words = [*paths, "--batch-rows", "10", "--workers", str(workers)]

    def stops(self, statement: str) -> None:
        """Have the hook do something behind half of the rows."""
        (self.beside / "does").write_text(statement)

    def wait_until_stopped(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it does."""
        deadline = time.monotonic() + SECONDS
        while not (self.beside / "stopped").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)

    def check_resumed(self, drum: Drum) -> None:
        """Go on without the disturbance: rows are there, in order, each of them predicted once."""
        (self.beside / "does").unlink(missing_ok=True)
        done = drum(*self.words, "--resume")
        assert (done.returncode, b"going on from the " in done.stderr) == (0, True), done.stderr
        assert [float(line.split(",")[0]) for line in self.output.read_text().splitlines()[1:]] == [
            row / 3 for row in range(ROWS)
        ]
        assert sorted(map(int, (self.beside / "seen").read_text().splitlines())) == list(range(ROWS))
        assert sorted(path.name for path in self.root.iterdir()) == ["beside", "code", "in.csv", "out.csv"]


@pytest.fixture
def case(tmp_path: Path, plant: Plant) -> Case:
    """A batch of one process."""
    plant("code", {"custom.py": HOOKS})
    return Case(tmp_path)


@pytest.fixture
def hears_hangups() -> Iterator[None]:
    """Whoever runs the tests under nohup has all that they start ignore SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hears_hangups")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_leaves_what_can_be_resumed_and_says_how(
    drum: Drum, start: Start, case: Case, number: signal.Signals, exit_code: int
) -> None:
    case.stops("time.sleep(100)")
    process = start(*case.words)
    case.wait_until_stopped(process)
    process.send_signal(number)
    told = process.communicate(timeout=SECONDS)[1].decode()
    assert process.returncode == exit_code
    assert told == (
        f"drum: 30 rows are kept in '{case.output}.partial'; the same command with --resume goes on from there\n"
    )
    assert not case.output.exists()
    case.check_resumed(drum)


def test_a_second_run_with_the_same_output_is_refused_until_the_first_is_gone(
    drum: Drum, start: Start, case: Case
) -> None:
    # What the hook starts lives on, with all that it was given.
    case.stops("os.fork() or time.sleep(2); time.sleep(100)")
    process = start(*case.words)
    case.wait_until_stopped(process)
    for words in ([], ["--resume"]):
        done = drum(*case.words, *words)
        assert (done.returncode, done.stderr.decode()) == (
            1,
            f"drum: error: --output: another run is writing it, and holds '{case.output}.partial'\n",
        )
    process.kill()
    process.wait(SECONDS)
    assert process.stderr is not None
    process.stderr.close()
    case.check_resumed(drum)


def test_a_worker_that_is_killed_leaves_what_can_be_resumed(drum: Drum, plant: Plant, tmp_path: Path) -> None:
    plant("code", {"custom.py": HOOKS})
    case = Case(tmp_path, workers=2)
    case.stops("time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)")
    done = drum(*case.words)
    assert (done.returncode, b"was ended by SIGKILL, perhaps by the system for its memory" in done.stderr) == (1, True)
    assert b"--resume goes on from there" in done.stderr
    case.check_resumed(drum)


@pytest.mark.parametrize(("room", "is_for_parts"), [(500, False), (4000, True)])
def test_a_disk_without_room_leaves_no_half_file(drum: Drum, case: Case, room: int, is_for_parts: bool) -> None:
    done = subprocess.run(
        [*COMMAND, *case.words],
        capture_output=True,
        env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        timeout=SECONDS,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert (done.returncode, b"cannot be written: File too large" in done.stderr) == (1, True), done.stderr
    assert {path.name for path in case.root.iterdir()} <= {"beside", "code", "in.csv", "out.csv.partial"}
    left = [path.name for path in case.root.glob("out.csv.partial/*") if path.suffix != ".segment"]
    assert set(left) <= {"journal", "lock"}
    if is_for_parts:
        case.check_resumed(drum)


def test_a_read_only_folder_is_told_before_anything_is_predicted(drum: Drum, case: Case) -> None:
    words = [word if word != str(case.output) else "/proc/out.csv" for word in case.words]
    done = drum(*words)
    assert (done.returncode, b"--output: '/proc/out.csv' cannot be written: " in done.stderr) == (1, True)
    assert not (case.beside / "seen").exists()
