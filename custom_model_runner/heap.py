"""The heap of the GNU C library: what is given back is kept for what comes next, in a server not for long."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping

MIB = 1 << 20
# Options of mallopt(3): bytes at the end of the heap that are kept, of a piece that is no part of it, and most heaps.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
# Tables of a few MiB come and go with each request; what a thread leaves behind, another can use.
SERVER = {TRIM_THRESHOLD: 32 * MIB, MMAP_THRESHOLD: 8 * MIB, ARENA_MAX: 2}
# Memory of so many bytes is no part of the heap of a server.
LARGE = SERVER[MMAP_THRESHOLD] + 1
# Blocks are smaller, and more threads work on them at a time.
BATCH = {TRIM_THRESHOLD: 8 * MIB, MMAP_THRESHOLD: 2 * MIB, ARENA_MAX: 2}
SECONDS_KEPT = 1.0


class Heap:
    """The heap of this process; `trim` gives to the system what is free in it."""

    def __init__(self, trim: Callable[[], object]) -> None:
        self.trim = trim
        self._until: float | None = None

    def note_use(self, now: float) -> None:
        """Note that a request was served."""
        if self._until is None:
            self._until = now + SECONDS_KEPT

    def tidy(self, now: float) -> None:
        """Give back what was free for long enough, if anything was used."""
        if self._until is not None and now >= self._until:
            self._until = None
            self.trim()


def opened(options: Mapping[int, int]) -> Heap:
    """Return the heap of this process with options for its kind; with another C library, one that does nothing."""
    library = ctypes.CDLL(None)
    try:
        set_option, trim = library.mallopt, library.malloc_trim
    except AttributeError:
        return Heap(lambda: None)
    for option, value in options.items():
        set_option(option, value)
    return Heap(lambda: trim(0))
