"""Deadlines of requests: one that is over is refused while its call still runs, and the late result is dropped.

A call stays in the thread of its request. Another thread answers in its place when the time is over, so that calls
without a deadline, and those in time, cost no change of threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from custom_model_runner import border
from custom_model_runner.errors import BaseCustomUserError, RunnerError, TimedOut

LOG = logging.getLogger("drum.server")
TOO_LATE = "The model did not answer until the time of the request was over (--request-timeout)"
# A thread that has nothing to look after wakes when there is something.
IDLE_SECONDS = 3600.0


class Watch:
    """One request and its deadline, on a clock of seconds; it is answered once: by its own thread or by `refuse`."""

    def __init__(self, at: float, watchman: Watchman, refuse: Callable[[], None]) -> None:
        self.at = at
        self.is_overdue = False
        self._watchman = watchman
        self._refuse = refuse
        self._is_settled = False
        self._lock = threading.Lock()

    def left(self) -> float:
        """Return the seconds that are left, none below zero."""
        return max(self.at - self._watchman.clock(), 0.0)

    def claim(self) -> bool:
        """Say whether the thread of the request may still answer it; from then on nobody else does."""
        with self._lock:
            self._is_settled = True
            return not self.is_overdue

    @contextmanager
    def guarded(self, count: Callable[[int], None]) -> Iterator[None]:
        """Watch over what is inside; `count` adds to the calls that are overdue and have not ended.

        What ends too late before anybody has refused it raises TimedOut.
        """
        self._watchman.add(self, count)
        try:
            yield
        finally:
            self._watchman.remove(self)
            with self._lock:
                is_late = not self._is_settled and self.left() == 0
                self._is_settled = True
                is_overdue = self.is_overdue
            if is_overdue:
                count(-1)
        if is_late:
            raise TimedOut(TOO_LATE)

    def expire(self, count: Callable[[int], None]) -> bool:
        """Refuse the request if nobody has answered it and its call still runs, and say whether that was so."""
        with self._lock:
            if self._is_settled:
                return False
            self.is_overdue = self._is_settled = True
            count(1)
            try:
                border.call(self._refuse, failing="A request whose time is over could not be refused. Exception:")
            except (RunnerError, BaseCustomUserError) as error:
                # Else no other request would be looked after.
                LOG.error("%s", error)
            return True


@dataclass
class Watchman:
    """The thread of a worker that looks after deadlines, started when it is first needed.

    `retire` is called for each call that is still in its slot `grace` seconds after its deadline.
    """

    grace: float
    retire: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.perf_counter
    watched: dict[Watch, tuple[float, Callable[[int], None]]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    wakes_at: float = 0.0
    thread: threading.Thread | None = None

    def add(self, watch: Watch, count: Callable[[int], None]) -> None:
        """Watch over a call from now on."""
        with self.changed:
            self.watched[watch] = (watch.at, count)
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self.thread.start()
            elif watch.at < self.wakes_at:
                self.changed.notify()

    def remove(self, watch: Watch) -> None:
        """Cease to watch over a call."""
        with self.changed:
            self.watched.pop(watch, None)

    def look(self) -> float:
        """Deal with what is over by now, and return when to look again."""
        now = self.clock()
        with self.changed:
            due = [(watch, count) for watch, (at, count) in self.watched.items() if at <= now]
        for watch, count in due:
            if watch.is_overdue:
                self.retire()
            refused = watch.expire(count)
            with self.changed:
                if refused and watch in self.watched:
                    self.watched[watch] = (watch.at + self.grace, count)
                else:
                    self.watched.pop(watch, None)
        with self.changed:
            self.wakes_at = min((at for at, _ in self.watched.values()), default=now + IDLE_SECONDS)
        return self.wakes_at

    def _run(self) -> None:
        while True:
            at = self.look()
            with self.changed:
                earliest = min((one for one, _ in self.watched.values()), default=at)
                self.changed.wait(max(min(at, earliest) - self.clock(), 0.0))
