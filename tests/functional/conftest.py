"""The real `drum`, run as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from .. import warm
from ..warm import Run

Drum = Run
Start = Callable[..., subprocess.Popen[bytes]]
Plant = Callable[..., Path]
COMMAND = (sys.executable, "-m", "custom_model_runner")


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Only what a process needs: a variable of the machine must not set an option."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**needed, **(extra or {})}


@pytest.fixture(scope="session")
def drum() -> Drum:
    """Run a command to its end."""

    def run(
        *words: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = [*COMMAND, *map(str, words)]
        return subprocess.run(command, input=stdin, capture_output=True, env=environment(env), timeout=120, check=False)

    return run


@pytest.fixture(scope="session")
def warm_drum() -> Iterator[Drum]:
    """Run a command to its end without waiting for imports, where it does not matter how commands start."""
    with warm.commands(environment) as run:
        yield run


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a command, and leave it to the test; output that is not asked for goes nowhere."""
    # A shell lets its background jobs, and all they start, ignore SIGINT; the tests may be one of them.
    on_sigint = signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(
        *words: str | Path, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        command = [*COMMAND, *map(str, words)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment(None))

    yield begin
    signal.signal(signal.SIGINT, on_sigint)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write files, given by name, into a folder of this test and return the folder."""

    def write(folder: str, files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / folder
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
        root.mkdir(parents=True, exist_ok=True)
        return root

    return write
