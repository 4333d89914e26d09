"""Memory and processor time of the server's processes, and the limits of the container around them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

MIB = 1024 * 1024
CGROUP = Path("/sys/fs/cgroup")
# Names of limit, peak and current use; cgroup v2 first.
CGROUP_FILES = (
    ("memory.max", "memory.peak", "memory.current"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.max_usage_in_bytes",
        "memory/memory.usage_in_bytes",
    ),
)
# Options whose values may be secrets, by the shortest form that the command line takes.
HIDDEN = {"--ap": "--api-token", "--monitor-s": "--monitor-settings"}
# Without a limit, cgroup v1 shows a number near 2**63.
NO_LIMIT = 1 << 60


def report(first: int) -> dict[str, Any]:
    """Return the bodies of `mem_info` and `drum_info`, in MiB, over a server's first process and all below it."""
    processes = [facts for process in _server_processes(first) if (facts := _facts(process))]
    memory = psutil.virtual_memory()
    limit, peak, used = container_memory(CGROUP)
    return {
        "mem_info": {
            "total": _mib(memory.total),
            "avail": _mib(memory.available),
            "free": _mib(memory.free),
            "drum_rss": sum(facts["mem"] for facts in processes),
            "container_limit": limit,
            "container_max_used": peak,
            "container_used": used,
        },
        "drum_info": processes,
    }


def _server_processes(first: int) -> list[psutil.Process]:
    process = psutil.Process(first)
    return [process, *process.children(recursive=True)]


def _facts(process: psutil.Process) -> dict[str, Any] | None:
    try:
        with process.oneshot():
            times = process.cpu_times()
            age = max(time.time() - process.create_time(), 1e-3)
            return {
                "pid": process.pid,
                "cmdline": " ".join(without_secrets(process.cmdline())),
                "mem": _mib(process.memory_info().rss),
                "cpu_percent": round(100 * (times.user + times.system) / age, 1),
            }
    except psutil.Error:
        return None


def without_secrets(words: Sequence[str]) -> list[str]:
    """Return a command line in which no value is shown that may be a secret, however its option is shortened."""
    shown, hides_next = [], False
    for word in words:
        name, has_value, _ = word.partition("=")
        is_secret = any(name.startswith(short) and flag.startswith(name) for short, flag in HIDDEN.items())
        shown.append("***" if hides_next else f"{name}=***" if is_secret and has_value else word)
        hides_next = is_secret and not has_value
    return shown


def container_memory(root: Path) -> tuple[float | None, float | None, float | None]:
    """Return limit, peak and current use of the memory cgroup in MiB, each None where it is not told."""
    for names in CGROUP_FILES:
        if (root / names[0]).is_file():
            limit, peak, used = (_number(root / name) for name in names)
            return limit, peak, used
    return None, None, None


def _number(path: Path) -> float | None:
    try:
        value = int(path.read_text())
    except (OSError, ValueError):
        return None
    return _mib(value) if value < NO_LIMIT else None


def _mib(size: int) -> float:
    return round(size / MIB, 3)
