"""The way of reports to a sink: in order, without waiting, counted when they are lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from custom_model_runner.data.report import Report
from custom_model_runner.errors import RunnerError
from custom_model_runner.monitoring.channel import Channel, open_channel
from custom_model_runner.monitoring.destination import Sink

from .reports import counted, sampled

PATIENCE = 30.0


class Memory:
    """A sink that keeps what it is given, once its gate is open, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.written: list[tuple[int, int]] = []
        self.opened = self.closed = 0
        self.failures = failures
        self.gate = threading.Event()
        self.is_busy = threading.Event()
        self.gate.set()

    def open(self) -> Sink:
        self.opened += 1
        return Sink(self.write, self.close)

    def write(self, report: Report, dropped: int) -> None:
        self.is_busy.set()
        self.gate.wait(PATIENCE)
        if self.failures:
            self.failures -= 1
            raise RunnerError("The sink is full.")
        assert report.stats is not None
        self.written.append((report.stats.num_predictions, dropped))

    def close(self) -> None:
        self.closed += 1


@contextmanager
def stuck(memory: Memory, one: Channel, report: Report) -> Iterator[None]:
    """Let the sink hang over one report meanwhile."""
    memory.gate.clear()
    one.offer(report)
    assert memory.is_busy.wait(PATIENCE)
    yield
    memory.gate.set()


def running(memory: Memory, **bounds: int) -> Channel:
    one = Channel(memory.open, **bounds)
    threading.Thread(target=one.run, daemon=True).start()
    return one


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    logging.getLogger("drum").propagate = True
    caplog.set_level(logging.WARNING, "drum.monitoring")
    return caplog


def test_reports_arrive_in_order_and_the_sink_is_closed() -> None:
    memory = Memory()
    one = open_channel(memory.open)
    for number in range(100):
        one.offer(counted(number))
    one.close(PATIENCE)
    assert memory.written == [(number, 0) for number in range(100)]
    assert (memory.opened, memory.closed) == (1, 1)


def test_a_channel_without_a_report_opens_nothing() -> None:
    memory = Memory()
    open_channel(memory.open).close(PATIENCE)
    assert (memory.opened, memory.closed) == (0, 0)


def test_reports_of_many_threads_all_arrive() -> None:
    memory = Memory()
    one = open_channel(memory.open)
    threads = [
        threading.Thread(target=lambda start=start: deque(map(one.offer, map(counted, range(start, start + 50)))))
        for start in range(0, 400, 50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.close(PATIENCE)
    assert sorted(number for number, _ in memory.written) == list(range(400))


def test_a_stuck_sink_holds_nobody_up_and_what_does_not_fit_is_counted(warned: pytest.LogCaptureFixture) -> None:
    memory = Memory()
    one = running(memory, most_reports=2)
    with stuck(memory, one, counted(0)):
        for number in range(1, 6):
            one.offer(counted(number))
    one.close(PATIENCE)
    assert memory.written == [(0, 0), (1, 3), (2, 0)]
    assert warned.messages == ["MLOps reports are dropped: their destination is too slow"]


def test_who_can_wait_waits_for_room_and_loses_nothing() -> None:
    memory = Memory()
    one = running(memory, most_reports=2)
    for number in range(50):
        one.offer_patiently(counted(number))
    one.close(PATIENCE)
    assert memory.written == [(number, 0) for number in range(50)]


def test_who_waited_in_vain_does_not_wait_again() -> None:
    memory = Memory()
    one = Channel(memory.open, most_reports=1, patience=0.01)
    for number in range(3):
        one.offer_patiently(counted(number))
    assert one.patience == 0


def test_the_room_is_measured_in_bytes_too() -> None:
    memory = Memory()
    one = running(memory, most_bytes=300)
    with stuck(memory, one, counted(0)):
        one.offer(sampled(10, columns=1))
        one.offer(sampled(10, columns=1))
        assert (len(one._waiting), one._dropped) == (1, 1)
        one._waiting.clear()
        one._dropped = 0
    one.close(PATIENCE)


def test_a_report_that_is_too_large_alone_is_taken_when_nothing_waits() -> None:
    memory = Memory()
    one = Channel(memory.open, most_bytes=50)
    one.offer(sampled(10, columns=3))
    assert (len(one._waiting), one._dropped) == (1, 0)


def test_what_a_failing_sink_lost_is_told_by_the_next_report(warned: pytest.LogCaptureFixture) -> None:
    memory = Memory(failures=2)
    one = open_channel(memory.open)
    for number in range(4):
        one.offer(counted(number))
    one.close(PATIENCE)
    assert memory.written == [(2, 2), (3, 0)]
    assert warned.messages == ["The sink is full."]


def test_a_sink_that_cannot_be_opened_is_tried_again() -> None:
    memory = Memory()
    attempts = iter([RunnerError("not yet"), None])

    def open_sink() -> Sink:
        if error := next(attempts):
            raise error
        return memory.open()

    one = open_channel(open_sink)
    one.offer(counted(1))
    one.offer(counted(2))
    one.close(PATIENCE)
    assert memory.written == [(2, 1)]


def test_whatever_a_foreign_sink_raises_does_not_end_the_thread(warned: pytest.LogCaptureFixture) -> None:
    raised = iter([SystemExit(3), ValueError("MARKER")])
    written = []

    def write(report: Report, dropped: int) -> None:
        if error := next(raised, None):
            raise error
        written.append(dropped)

    one = open_channel(lambda: Sink(write))
    for number in range(3):
        one.offer(counted(number))
    one.close(PATIENCE)
    assert written == [2]
    assert warned.messages == ["MLOps reports cannot be delivered: SystemExit (--logging-level debug)"]


def test_there_is_one_warning_a_minute(warned: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((1000.0, 1059.0, 1060.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    one = Channel(Memory().open, most_reports=1)
    for _ in range(4):
        one.offer(counted(1))
    assert len(warned.messages) == 2


def test_a_closed_channel_takes_nothing() -> None:
    memory = Memory()
    one = open_channel(memory.open)
    one.close(PATIENCE)
    one.offer(counted(1))
    assert (memory.written, one._dropped) == ([], 1)


def test_closing_does_not_wait_for_a_stuck_sink_and_says_what_was_lost(warned: pytest.LogCaptureFixture) -> None:
    memory = Memory()
    one = running(memory)
    with stuck(memory, one, counted(0)):
        one.offer(counted(1))
        one.offer(counted(2))
        one.close(0.05)
        assert warned.messages == ["3 MLOps report(s) were lost"]
