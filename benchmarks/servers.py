"""Start a contestant's server, wait for its first prediction, end it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Client
from benchmarks.processes import ContestantError, started, tail

START_SECONDS = 90.0
POLL_SECONDS = 0.005
LOADING = 503


@dataclass(frozen=True)
class Server:
    """A server that has answered."""

    pid: int
    port: int
    cold_start_seconds: float


@contextmanager
def serve(command: Sequence[str], port: int, *, path: str, body: bytes, log: Path) -> Iterator[Server]:
    """Run a server until the block ends; it counts as started with its first answer of status 200."""
    begin = time.perf_counter()
    with started(command, log=log) as process:
        _await_answer(process, port, path, body, log)
        yield Server(process.pid, port, time.perf_counter() - begin)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answer(process: subprocess.Popen[bytes], port: int, path: str, body: bytes, log: Path) -> None:
    deadline, seen = time.perf_counter() + START_SECONDS, "no answer"
    while time.perf_counter() < deadline and process.poll() is None:
        client = Client(port)
        try:
            status, answer = client.post(path, body)
            if status == 200:
                return
            seen = f"status {status}: {answer[:300]!r}"
            if status != LOADING:
                break
        except (OSError, EOFError):
            seen = "no answer"
        finally:
            client.close()
        time.sleep(POLL_SECONDS)
    raise ContestantError(f"{process.args!r} did not start ({seen}, code {process.poll()}); {tail(log)}")
