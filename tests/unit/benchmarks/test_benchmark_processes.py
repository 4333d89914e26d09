"""Contestants as processes: started, measured, ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks import tree
from benchmarks.processes import ContestantError, finish, started
from benchmarks.servers import free_port, serve

BLOCK = 60_000_000
LARGE = f"block = b'x' * {BLOCK}\nprint('ready', flush=True)\nimport time; time.sleep(60)"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {LARGE!r}])"
BUSY = "import time\nwhile time.process_time() < 0.3: pass"
STUBBORN = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(60)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def await_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def await_ready(log: Path) -> None:
    await_true(lambda: "ready" in log.read_text())


def test_the_memory_of_a_tree_includes_its_children_and_its_peak_outlives_them(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(python(PARENT), log=log) as process:
        await_ready(log)
        with tree.watch(process.pid, interval=0.01) as peak:
            assert psutil.Process(process.pid).memory_info().rss < BLOCK
            await_true(lambda: peak.bytes > BLOCK)
            for child in psutil.Process(process.pid).children():
                child.kill()
            process.wait()
    assert peak.bytes > BLOCK
    assert tree.memory_bytes(process.pid) == 0


def test_processor_time_includes_children_that_have_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = f"import subprocess, time\nsubprocess.run({python(BUSY)!r})\nprint('ready', flush=True)\ntime.sleep(60)"
    with started(python(parent), log=log) as process:
        await_ready(log)
        assert tree.cpu_seconds(process.pid) >= 0.28


def test_a_command_that_fails_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failure = pytest.raises(ContestantError, match=r"ended with 1(?s:.*)no such model")
    with started(python("raise SystemExit('no such model')"), log=log) as process, failure:
        finish(process, most_seconds=30, log=log)


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failure = pytest.raises(ContestantError, match="ended with -9")
    with started(python("import time; time.sleep(60)"), log=log) as process, failure:
        finish(process, most_seconds=0.2, log=log)


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    failure = pytest.raises(ContestantError, match="can not be started")
    with failure, started([str(tmp_path / "drum")], log=tmp_path / "log"):
        pass


def test_nothing_is_left_of_a_command_that_ignores_the_request_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.processes.STOP_SECONDS", 0.2)
    log = tmp_path / "log"
    parent = f"import subprocess, signal\nsignal.signal(15, signal.SIG_IGN)\nsubprocess.run({python(STUBBORN)!r})"
    with started(python(parent), log=log) as process:
        await_ready(log)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    assert len(family) == 2
    psutil.wait_procs(family, timeout=10)
    assert not any(member.is_running() for member in family)


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    command = python("raise SystemExit('address in use')")
    failure = pytest.raises(ContestantError, match=r"did not start(?s:.*)address in use")
    with failure, serve(command, free_port(), path="/predict/", body=b"", log=tmp_path / "log"):
        pass
