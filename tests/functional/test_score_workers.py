"""`drum score --workers`: the bytes of one process, and an end that is told and leaves nothing."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.linear_model import LinearRegression

from .conftest import Drum, Plant, Start

REGRESSION = ("--target-type", "regression")
TWO = ("--workers", "2", "--batch-rows", "100")
FRAME = pd.DataFrame({"a": np.arange(1000.0), "b": np.arange(1000.0) ** 0.5})
MANY_SECONDS = 60

HOOKS = """
    import os
    import pandas as pd

    def score(data, model, **kwargs):
        threads = os.environ["OMP_NUM_THREADS"]
        return pd.DataFrame({"Predictions": data["a"] / 3, "worker": os.getpid(), "threads": threads})
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of ten blocks."""
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    return tmp_path / "in.csv"


def test_a_shared_model_gives_the_bytes_of_one_process(drum: Drum, plant: Plant, source: Path, tmp_path: Path) -> None:
    folder = plant("code", {"model.pkl": pickle.dumps(LinearRegression().fit(FRAME, FRAME["a"] - FRAME["b"]))})
    for name, words in {"one.csv": TWO[2:], "two.csv": TWO}.items():
        done = drum("score", "-cd", folder, "--input", source, "--output", tmp_path / name, *REGRESSION, *words)
        assert (done.stderr, done.returncode) == (b"", 0)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_hooks_are_loaded_by_each_worker_and_rows_stay_in_order(drum: Drum, plant: Plant, source: Path) -> None:
    done = drum("score", "-cd", plant("code", {"custom.py": HOOKS}), "--input", source, *REGRESSION, *TWO)
    assert (done.stderr, done.returncode) == (b"", 0)
    lines = [line.split(",") for line in done.stdout.decode().splitlines()[1:]]
    assert [float(line[0]) for line in lines] == (FRAME["a"] / 3).tolist()
    assert len({line[1] for line in lines}) == 2
    assert {line[2] for line in lines} == {"1"}


READER = """
    import pandas as pd

    def read_input_data(data):
        return pd.DataFrame({"a": [float(len(data))]})

    def score(data, model, **kwargs):
        return data.rename(columns={"a": "Predictions"})
"""


def test_a_folder_that_reads_for_itself_gets_its_input_once(drum: Drum, plant: Plant) -> None:
    words = ("-cd", plant("code", {"custom.py": READER}), "--input", "-", *REGRESSION, *TWO)
    done = drum("score", *words, stdin=b"anything")
    assert (done.stdout, done.returncode) == (b"Predictions\n8.0\n", 0)
    assert done.stderr.decode() == (
        "drum: all is handed over at once, regardless of --batch-rows and --workers, "
        "since this model reads its input for itself\n"
    )


def failing(statement: str) -> str:
    """Return a hook that ends so at the fifth block."""
    return (
        "import os, signal\n"
        "def score(data, model, **kwargs):\n"
        f"    if data['a'].max() > 400:\n        {statement}\n"
        "    return data[['a']].set_axis(['Predictions'], axis=1)\n"
    )


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("1 / 0", (5, "Rows 401 to 500 of 'in.csv': The score hook raised. Exception: ZeroDivisionError(")),
        ("os.kill(os.getpid(), signal.SIGKILL)", (1, "was ended by SIGKILL, perhaps by the system for its memory")),
        ("os.kill(os.getpid(), signal.SIGSEGV)", (1, "was ended by SIGSEGV")),
        ("os._exit(3)", (1, "ended by itself with exit code 3")),
    ],
)
def test_what_ends_a_worker_is_told_and_leaves_what_can_be_resumed(
    drum: Drum, plant: Plant, source: Path, statement: str, told: tuple[int, str]
) -> None:
    folder = plant("code", {"custom.py": failing(statement)})
    done = drum("score", "-cd", folder, "--input", source, "--output", f"{source}.out", *REGRESSION, *TWO)
    assert (done.returncode, told[1] in done.stderr.decode()) == (told[0], True)
    assert sorted(path.name for path in source.parent.iterdir()) == ["code", "in.csv", "in.csv.out.partial"]


def test_a_folder_that_cannot_be_loaded_is_told_once(drum: Drum, plant: Plant, source: Path) -> None:
    done = drum("score", "-cd", plant("code", {"custom.py": "1 / 0\n"}), "--input", source, *REGRESSION, *TWO)
    assert (done.returncode, done.stderr.count(b"drum: error")) == (4, 1)


SLOW = """
    import pathlib, os, time

    def score(data, model, **kwargs):
        pathlib.Path(__file__).with_name(f"{os.getpid()}.pid").touch()
        time.sleep(120)
"""


@contextmanager
def busy(start: Start, folder: Path, source: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Start a batch, and give it with its two workers when both are inside the hook."""
    words = ("--input", source, "--output", source.with_name("out.csv"))
    process = start("score", "-cd", folder, *words, *REGRESSION, *TWO)
    deadline = time.monotonic() + MANY_SECONDS
    while len(names := list(folder.glob("*.pid"))) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    yield process, [psutil.Process(int(name.stem)) for name in names]
    assert process.stderr is not None
    process.stderr.close()


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_workers_end_with_their_parent(
    start: Start, plant: Plant, source: Path, number: signal.Signals, exit_code: int
) -> None:
    with busy(start, plant("code", {"custom.py": SLOW}), source) as (process, workers):
        os.kill(process.pid, number)
        assert process.wait(MANY_SECONDS) == exit_code
        gone, alive = psutil.wait_procs(workers, timeout=MANY_SECONDS)
    assert (len(gone), alive) == (2, [])
    assert not source.with_name("out.csv").exists()


def test_a_worker_that_is_killed_ends_the_other(start: Start, plant: Plant, source: Path) -> None:
    with busy(start, plant("code", {"custom.py": SLOW}), source) as (process, workers):
        workers[0].kill()
        assert process.stderr is not None
        assert b"was ended by SIGKILL" in process.stderr.read()
        assert process.wait(MANY_SECONDS) == 1
        assert psutil.wait_procs(workers, timeout=MANY_SECONDS)[1] == []
