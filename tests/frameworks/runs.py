"""Run makers and the real `drum` as a user does: in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from custom_model_runner import plugins

from .table import MAKERS, VARIABLES, Case, file_of

DRUM = str(Path(sys.executable).with_name("drum"))
PATIENCE = 300.0
SECONDS_TO_STOP = 30.0
SERVING = "drum: serving "


def environment(framework: str) -> dict[str, str]:
    """Only what a process needs, and what the framework asks for."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**needed, **VARIABLES.get(framework, {})}


def run(framework: str, *words: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed, and return what it prints."""
    command = list(map(str, words))
    variables = {**environment(framework), **(env or {})}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stderr}"
    return done


def make(case: Case, folder: Path) -> None:
    """Let the maker train a model and write the folder."""
    maker = MAKERS / f"{file_of(plugins.FRAMEWORKS[case.framework])}.py"
    # Isolated: a maker is named after the library that it imports, so its own folder must not be searched.
    run(case.framework, sys.executable, "-I", maker, folder, case.suffix, case.target)


@contextmanager
def serve(framework: str, folder: Path, log: Path, *words: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a folder on a free port and give its address; at the end SIGTERM must give exit 0."""
    command = [DRUM, "server", "--code-dir", str(folder), "--address", "127.0.0.1:0", *words]
    command += ["--probe-address", "off"]
    variables = {**environment(framework), **(env or {})}
    with log.open("wb") as stderr, subprocess.Popen(command, stderr=stderr, env=variables) as process:
        try:
            yield _address(process, log)
        finally:
            _stop(process)
    assert process.returncode == 0, log.read_text()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        told = [line for line in log.read_text().splitlines(keepends=True) if line.startswith(SERVING)]
        if told and told[0].endswith("\n"):
            return told[0].split()[-1]
        time.sleep(0.05)
    raise AssertionError(f"not served:\n{log.read_text()}")
