"""Who may call the model of a worker, and who may wait for it: slots, and a queue that has an end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from custom_model_runner.errors import Overloaded, TimedOut
from custom_model_runner.server.board import OfWorker, Slot
from custom_model_runner.server.deadlines import Watch

# So many calls enter a thread-safe model at once unless an option says otherwise.
CALLS_OF_THREAD_SAFE = 8


@dataclass(frozen=True)
class Admission:
    """The slots of a worker and their queue; what it lets in stands on the board, where nobody else writes it.

    Who waits stands in `line`, and enters in its order. `watch` guards each call with a deadline, if there is one.
    """

    row: Slot
    most_calls: int
    most_waiting: int
    watch: Callable[[], Watch | None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    line: deque[threading.Event] = field(default_factory=deque)

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Be inside of a slot; a call that finds the queue full, or whose time is over before its turn, is refused."""
        watch = self.watch()
        if watch is not None and not watch.left():
            raise TimedOut("The time of the request was over before the model could be asked (--request-timeout)")
        self._take(None if watch is None else watch.left())
        try:
            if watch is None:
                yield
            else:
                with watch.guarded(self._add_overdue):
                    yield
        finally:
            self._give()

    def refuse_if_full(self) -> None:
        """Refuse a call that would find the queue full, before its body is read."""
        if self.row.is_full:
            raise self._overloaded()

    def _take(self, patience: float | None) -> None:
        with self.lock:
            # A slot is never free while somebody waits: it is handed over.
            if self.row.get(OfWorker.IN_FLIGHT) < self.most_calls:
                self.row.add(OfWorker.IN_FLIGHT, 1)
                return
            if len(self.line) >= self.most_waiting:
                raise self._overloaded()
            turn = threading.Event()
            self.line.append(turn)
            self.row.add(OfWorker.WAITING, 1)
        if not turn.wait(patience):
            self._leave(turn)

    def _leave(self, turn: threading.Event) -> None:
        """Give up a place in the line, unless its turn has come meanwhile."""
        with self.lock:
            if turn.is_set():
                return
            self.line.remove(turn)
            self.row.add(OfWorker.WAITING, -1)
        raise TimedOut("The request waited for the model until its time was over (--request-timeout)")

    def _give(self) -> None:
        """Hand a slot to whoever has waited for it longest."""
        with self.lock:
            if self.line:
                self.line.popleft().set()
                self.row.add(OfWorker.WAITING, -1)
            else:
                self.row.add(OfWorker.IN_FLIGHT, -1)

    def _add_overdue(self, number: int) -> None:
        with self.lock:
            self.row.add(OfWorker.OVERDUE, number)

    def _overloaded(self) -> Overloaded:
        words = f"{self.most_calls} at a time and {self.most_waiting} that wait"
        return Overloaded(f"The server takes no further call now: this worker has {words} (--threads, --max-queue)")


def open_admission(
    row: Slot, *, most_calls: int, most_waiting: int, watch: Callable[[], Watch | None] = lambda: None
) -> Admission:
    """Open the slots of a worker, and tell the board how many calls it takes."""
    row.put(OfWorker.SLOTS, most_calls)
    row.put(OfWorker.MOST_CALLS, most_calls + most_waiting)
    return Admission(row, most_calls, most_waiting, watch)
