"""Prediction times, added up."""

from __future__ import annotations

import multiprocessing
import os
import signal

from custom_model_runner.data.observation import Observation
from custom_model_runner.monitoring.timings import Timings, open_timings


def timed(*seconds: float) -> Timings:
    timings = open_timings()
    for one in seconds:
        timings.observe(Observation(1, one, None))
    return timings


def test_without_a_call_there_is_nothing_to_report() -> None:
    assert timed().take() is None


def test_calls_are_added_up() -> None:
    assert timed(2.0, 1.0, 6.0).take() == {"min": 1.0, "max": 6.0, "avg": 3.0, "total": 9.0}


def test_times_are_rounded_to_milliseconds() -> None:
    assert timed(1.23456).take() == {"min": 1.235, "max": 1.235, "avg": 1.235, "total": 1.235}


def test_a_report_starts_anew() -> None:
    timings = timed(2.0)
    timings.take()
    assert timings.take() is None
    timings.observe(Observation(1, 5.0, None))
    assert timings.take() == {"min": 5.0, "max": 5.0, "avg": 5.0, "total": 5.0}


def test_a_failed_call_counts() -> None:
    timings = open_timings()
    timings.observe(Observation(0, 2.0, "UserCodeError"))
    assert timings.take() == {"min": 2.0, "max": 2.0, "avg": 2.0, "total": 2.0}


class Deadly(float):
    """Kills the process that adds it up."""

    def __radd__(self, other: float) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return other


def test_a_process_that_is_killed_while_it_counts_keeps_no_other_from_it() -> None:
    timings = timed(1.0)
    context = multiprocessing.get_context("fork")
    for seconds, code in ((Deadly(1.0), -signal.SIGKILL), (1.0, 0)):
        child = context.Process(target=timings.observe, args=(Observation(1, seconds, None),))
        child.start()
        child.join(10)
        assert child.exitcode == code
        child.close()


def test_calls_of_forked_processes_are_added_up() -> None:
    timings = timed(1.0)
    child = multiprocessing.get_context("fork").Process(target=timings.observe, args=(Observation(1, 3.0, None),))
    child.start()
    child.join()
    assert timings.take() == {"min": 1.0, "max": 3.0, "avg": 2.0, "total": 4.0}
