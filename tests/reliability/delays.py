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


def waited(*pids: int) -> float:
    """Return the seconds for which threads of processes could have run and had no processor; only Linux tells."""
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(task.read_text().split()[1]) for task in tasks) / 1e9
