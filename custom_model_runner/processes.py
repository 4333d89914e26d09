"""What the operating system tells of processes: how they ended, and that their parent has."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
CGROUP = Path("/sys/fs/cgroup")
# Where the kernel counts the processes that it killed for their memory; cgroup v2 first.
KILL_COUNTS = ("memory.events", "memory/memory.oom_control")


def end_with_parent(parent: int) -> None:
    """Let this process be killed when its parent ends, in whatever way; only Linux can do that."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def kills_for_memory(root: Path = CGROUP) -> int:
    """Return how many processes of this container were killed for their memory, 0 where it is not told."""
    for name in KILL_COUNTS:
        try:
            lines = (root / name).read_text().splitlines()
        except OSError:
            continue
        counts = [int(count) for word, _, count in (line.partition(" ") for line in lines) if word == "oom_kill"]
        if counts:
            return counts[0]
    return 0


def ended_children() -> Iterator[tuple[int, int]]:
    """Collect the children that ended; yield the id and the exit code of each, that of a signal as negative number."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
