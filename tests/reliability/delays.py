"""How long requests took, and how much of that is the machine's doing, because its processors had other work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# Where waits are spread at random, one of a hundred is longer than so many times their mean.
TAIL = 5.0


def p99(seconds: Sequence[float]) -> float:
    """Return what at most one of a hundred exceeds."""
    return sorted(seconds)[int(len(seconds) * 0.99)]


def told(seconds: Sequence[float]) -> str:
    """Return the figures in words."""
    median = sorted(seconds)[len(seconds) // 2]
    return f"median {median * 1e3:.1f} ms, p99 {p99(seconds) * 1e3:.1f} ms, most {max(seconds) * 1e3:.1f} ms"


def waited(pid: int, thread: int | None = None) -> float:
    """Return for how many seconds a thread, or all of a process, could have run but had no processor."""
    threads = Path(f"/proc/{pid}/task").glob(f"{thread or '*'}/schedstat")
    return sum(int(one.read_text().split()[1]) for one in threads) / 1e9
