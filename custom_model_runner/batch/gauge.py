"""The memory that a batch takes, with all its processes."""

from __future__ import annotations

import psutil


def memory() -> int:
    """Return the bytes that this process and all below it take; what they share counts once where the system tells."""
    here = psutil.Process()
    return sum(map(_memory_of, [here, *here.children(recursive=True)]))


def _memory_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss)
    except psutil.Error:
        # It has ended meanwhile, or is another user's.
        return 0
