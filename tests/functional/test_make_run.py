"""`make run`: the README's first command, with the `curl` line that it prints."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

REPOSITORY = Path(__file__).parents[2]
SAMPLE_ROWS = 20


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def make_run(port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process group of its own, as a terminal would, in the environment of this test."""
    venv = Path(sys.executable).parents[1]
    command = ["make", "run", f"PORT={port}", f"VENV={venv}"]
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        with process:
            yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if word in line:
            return lines
    pytest.fail(f"{word!r} was never printed:\n" + "\n".join(lines))


def follow(curl: str) -> requests.Response:
    """Send what a printed `curl` line says."""
    words = shlex.split(curl)
    data = Path(words[words.index("--data-binary") + 1].removeprefix("@"))
    name, _, value = words[words.index("--header") + 1].partition(": ")
    return requests.post(words[-1], data=(REPOSITORY / data).read_bytes(), headers={name: value}, timeout=30)


def test_make_run_shows_predictions_serves_the_printed_curl_line_and_ends_by_sigint() -> None:
    port = free_port()
    with make_run(port) as process:
        lines = read_until(process, "serving")
        assert "Predictions" in lines
        curl = next(line for line in lines if line.lstrip().startswith("curl "))
        response = follow(curl)
        assert response.status_code == 200
        assert len(response.json()["predictions"]) == SAMPLE_ROWS

        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        os.killpg(process.pid, signal.SIGINT)
        _, alive = psutil.wait_procs(family, timeout=2)
        assert alive == []
    with socket.create_server(("127.0.0.1", port)):
        pass
