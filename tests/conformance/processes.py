"""Run `drum` commands, and see what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

DRUM = str(Path(sys.executable).with_name("drum"))


def drum(*args: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    command = [DRUM, *map(str, args)]
    return subprocess.run(command, capture_output=True, env=environment(env), timeout=120, check=False)


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Only what a process needs: a variable of the machine must not set an option."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**needed, **(extra or {})}


def left_of(group: int) -> list[str]:
    """Name the processes of a group that still run."""
    return [
        str(process)
        for process in psutil.process_iter(["status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE and _group(process.pid) == group
    ]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
