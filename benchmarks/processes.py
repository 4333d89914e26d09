"""Start a contestant in a session of its own and leave nothing of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 15.0


class ContestantError(Exception):
    """A contestant failed to start, to run or to answer."""


@contextmanager
def started(command: Sequence[str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command from the root of the project until the block ends; its output goes to the log."""
    process = _start(command, log)
    try:
        yield process
    finally:
        _stop(process)


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    try:
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    except OSError as error:
        raise ContestantError(f"{command!r} can not be started: {error}") from error


def finish(process: subprocess.Popen[bytes], *, most_seconds: float, log: Path) -> None:
    """Wait until the command has ended; being too slow or ending with a code is an error."""
    # `wait` with a timeout polls, which would blur the end by up to 50 ms.
    alarm = threading.Timer(most_seconds, _kill_session, (process,))
    alarm.start()
    try:
        code = process.wait()
    finally:
        alarm.cancel()
    if code:
        raise ContestantError(f"{process.args!r} ended with {code}; {tail(log)}")


def tail(log: Path) -> str:
    """Return the end of a log, to go into a message."""
    return f"its output ends:\n{log.read_text(errors='replace')[-2000:]}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    # Also after a clean end: descendants left behind would cost the next contestant time.
    _kill_session(process)
    process.wait(STOP_SECONDS)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
