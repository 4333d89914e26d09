"""The way from the calls to a destination: nobody waits for it, and what does not fit is dropped and counted."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from custom_model_runner import border
from custom_model_runner.data.report import Report
from custom_model_runner.errors import RunnerError
from custom_model_runner.monitoring.destination import OpenSink, Sink

LOG = logging.getLogger("drum.monitoring")
MOST_REPORTS = 10_000
MOST_BYTES = 64 << 20
MOST_SECONDS_OF_WAIT = 60.0
GATHER_SECONDS = 0.05
SECONDS_BETWEEN_WARNINGS = 60


class _Foreign(RunnerError):
    """A destination's library raised something of its own."""


@dataclass
class Channel:
    """Reports that wait, and the thread that hands them to a sink; `open_channel` starts it."""

    open_sink: OpenSink
    most_reports: int = MOST_REPORTS
    most_bytes: int = MOST_BYTES
    patience: float = MOST_SECONDS_OF_WAIT
    _waiting: deque[Report] = field(default_factory=deque, init=False)
    _in_hand: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)
    _dropped: int = field(default=0, init=False)
    _warned_at: float = field(default=-math.inf, init=False)
    _sink: Sink | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _room: threading.Condition = field(init=False)
    _has_work: threading.Event = field(default_factory=threading.Event, init=False)
    _is_closing: threading.Event = field(default_factory=threading.Event, init=False)
    _has_ended: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        self._room = threading.Condition(self._lock)

    def offer(self, report: Report) -> None:
        """Take a report if there is room, and return at once; one that is too large alone is taken too."""
        weight = report.weight
        with self._lock:
            is_refused = self._is_closing.is_set() or (self._is_full(weight) and bool(self._waiting))
            if is_refused:
                self._dropped += 1
            else:
                self._waiting.append(report)
                self._bytes += weight
        if is_refused:
            self._warn("MLOps reports are dropped: their destination is too slow")
        else:
            self._has_work.set()

    def offer_patiently(self, report: Report) -> None:
        """Take a report when there is room, from those who can wait; after one wait that was too long, at once."""
        with self._room:
            is_there = self._room.wait_for(lambda: not (self._waiting and self._is_full(report.weight)), self.patience)
        if not is_there:
            self.patience = 0.0
        self.offer(report)

    def _is_full(self, weight: int) -> bool:
        return len(self._waiting) >= self.most_reports or self._bytes + weight > self.most_bytes

    def run(self) -> None:
        """Hand over what waits, until the channel is closed and empty."""
        while not (self._is_closing.is_set() and not self._waiting):
            self._has_work.wait()
            # Several reports at once cost less than each by itself.
            self._is_closing.wait(GATHER_SECONDS)
            self._has_work.clear()
            while self._waiting:
                self._hand_over()
        if self._sink is not None:
            self._attempt(self._sink.close)
        self._has_ended.set()

    def _hand_over(self) -> None:
        with self._lock:
            report = self._waiting.popleft()
            self._bytes -= report.weight
            self._in_hand = 1
            self._room.notify_all()
            dropped, self._dropped = self._dropped, 0
        is_written = self._attempt(lambda: self._write(report, dropped))
        with self._lock:
            self._in_hand = 0
            self._dropped += 0 if is_written else dropped + 1

    def _write(self, report: Report, dropped: int) -> None:
        if self._sink is None:
            self._sink = self.open_sink()
        self._sink.write(report, dropped)

    def _attempt(self, step: Callable[[], None]) -> bool:
        try:
            border.call(step, failing="MLOps reports cannot be delivered:", as_error=_Foreign)
        except _Foreign as error:
            # What a library says may quote the data.
            LOG.debug("%s", error)
            self._warn(f"MLOps reports cannot be delivered: {type(error.__cause__).__name__} (--logging-level debug)")
            return False
        except RunnerError as error:
            self._warn(str(error))
            return False
        return True

    def _warn(self, text: str) -> None:
        now = time.monotonic()
        if now - self._warned_at >= SECONDS_BETWEEN_WARNINGS:
            self._warned_at = now
            LOG.warning("%s", text)

    def close(self, seconds: float) -> None:
        """Hand over what waits, for so many seconds at most, and say how many reports were lost since the last."""
        self._is_closing.set()
        self._has_work.set()
        self._has_ended.wait(seconds)
        lost = self._dropped + self._in_hand + len(self._waiting)
        if lost:
            LOG.warning("%s MLOps report(s) were lost", lost)


def open_channel(open_sink: OpenSink) -> Channel:
    """Start the thread of a channel; call it in the process that makes the reports."""
    channel = Channel(open_sink)
    threading.Thread(target=channel.run, name="mlops-reports", daemon=True).start()
    return channel
