"""Time and memory of a process with all its descendants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

MEMORY_KIND = "pss" if psutil.LINUX else "rss"


@dataclass
class Peak:
    """The highest sum of memory seen so far."""

    bytes: int = 0


def memory_bytes(pid: int) -> int:
    """Return the memory of the tree; shared pages count once where the system tells (PSS)."""
    return round(_total(pid, _memory))


def cpu_seconds(pid: int) -> float:
    """Return the processor time of the tree, with that of children which ended and were waited for."""
    return _total(pid, _cpu)


@contextmanager
def watch(pid: int, *, interval: float) -> Iterator[Peak]:
    """Sample the memory of the tree in the background, once more at the end."""
    peak, stop = Peak(), threading.Event()

    def sample() -> None:
        while True:
            peak.bytes = max(peak.bytes, memory_bytes(pid))
            if stop.wait(interval):
                return

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        stop.set()
        sampler.join()
        peak.bytes = max(peak.bytes, memory_bytes(pid))


def _total(pid: int, measure: Callable[[psutil.Process], float]) -> float:
    return sum(_or_zero(measure, process) for process in _tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _or_zero(measure: Callable[[psutil.Process], float], process: psutil.Process) -> float:
    # Processes may end between being listed and being asked, and a zombie has no memory.
    try:
        return measure(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _memory(process: psutil.Process) -> float:
    if MEMORY_KIND == "pss":
        return float(process.memory_full_info().pss)
    return float(process.memory_info().rss)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system
