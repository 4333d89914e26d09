"""How long the stages of a call took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

RECEIVE, DECODE, QUEUE, ENCODE = "receive", "decode", "queue", "encode"


class Stages:
    """The stages of a call, which follow one another without a gap; times are seconds of `clock`."""

    __slots__ = ("clock", "marks", "start")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.start = clock()
        self.marks: list[tuple[str, float]] = []

    def end(self, name: str) -> None:
        """Say what it was that went on since the last stage ended."""
        self.marks.append((name, self.clock()))

    def spans(self) -> Iterator[tuple[str, float, float]]:
        """Yield name, begin and end of each stage in order."""
        begin = self.start
        for name, end in self.marks:
            yield name, begin, end
            begin = end

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage; one that came twice is added up."""
        found: dict[str, float] = {}
        begin = self.start
        for name, end in self.marks:
            found[name] = found.get(name, 0.0) + end - begin
            begin = end
        return found
