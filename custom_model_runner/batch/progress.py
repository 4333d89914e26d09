"""How far a batch is, told on one line of a terminal that is written anew."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from custom_model_runner.batch import gauge
from custom_model_runner.batch.tally import LOAD, PREDICT, Tally

SECONDS = 0.5
# Of a terminal that does not tell its width.
COLUMNS = 80
# Rows per second of which a fraction matters.
SLOW = 10
# What goes on when a stage has ended and rows do not tell.
DOING = {LOAD: "looking at the input", PREDICT: "writing the output"}

Show = Callable[[str], None]


@contextmanager
def watching(tally: Tally, show: Show) -> Iterator[None]:
    """Note the memory now and then, and show how far a batch is, in a thread; in the end nothing is shown any more.

    No process may be forked meanwhile.
    """
    is_over = threading.Event()

    def watch() -> None:
        while True:
            tally.note_memory(gauge.memory())
            show(text(tally, time.perf_counter()))
            if is_over.wait(SECONDS):
                return

    thread = threading.Thread(target=watch, name="batch-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        tally.note_memory(gauge.memory())
        show("")


def text(tally: Tally, now: float) -> str:
    """Return how far a batch is: rows, of how many, rows in a second, how long it may still take, memory."""
    last, since = tally.stages.marks[-1] if tally.stages.marks else ("", tally.stages.start)
    parts = [DOING[last]] if last in DOING else _rows(tally, now - since)
    return f"drum: {', '.join([*parts, f'{tally.memory / 2**20:,.0f} MiB'])}"


def _rows(tally: Tally, seconds: float) -> list[str]:
    speed = tally.rows / seconds if seconds else 0.0
    told = f"{speed:,.{0 if speed >= SLOW else 1}f} rows/s"
    rows, total, about = tally.done, tally.total, ""
    if total is None:
        total, about = tally.about, "~"
    if total is None:
        return [f"{rows:,} rows", told]
    parts = [f"{rows:,} of {about}{total:,} rows", f"{_percent(rows, total)}%", told]
    return [*parts, f"{_duration(max(total - rows, 0) / speed)} left"] if speed else parts


def _percent(rows: int, total: int) -> int:
    """Return how much is done; all is no more than all, even where the total was rounded."""
    return min(100 * rows // total, 100) if total else 100


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Line:
    """The last line of a terminal."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._length = 0

    def show(self, text: str) -> None:
        """Write a text over the one before, or nothing; it is cut where the line would break."""
        text = text[: self._columns() - 1]
        blank = " " * (self._length - len(text))
        self._length = len(text)
        # Whoever does not see it still gets results.
        with suppress(OSError, ValueError):
            self._terminal.write(f"\r{text}{blank}" if text else f"\r{blank}\r")
            self._terminal.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._terminal.fileno()).columns or COLUMNS
        except (OSError, ValueError):
            return COLUMNS
