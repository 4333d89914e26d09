"""Prediction times, added up over all worker processes."""

from __future__ import annotations

import multiprocessing
from ctypes import Array, c_double
from dataclasses import dataclass

from custom_model_runner.data.observation import Observation
from custom_model_runner.locks import Lock, open_lock

COUNT, TOTAL, LEAST, MOST = range(4)
DECIMALS = 3


@dataclass(frozen=True)
class Timings:
    """Numbers in memory that forked workers share: count, total, least and most seconds."""

    numbers: Array[c_double]
    lock: Lock

    def observe(self, observation: Observation) -> None:
        """Count one call."""
        seconds = observation.seconds
        with self.lock.held():
            is_first = self.numbers[COUNT] == 0
            self.numbers[COUNT] += 1
            self.numbers[TOTAL] += seconds
            self.numbers[LEAST] = seconds if is_first else min(self.numbers[LEAST], seconds)
            self.numbers[MOST] = max(self.numbers[MOST], seconds)

    def take(self) -> dict[str, float] | None:
        """Return seconds since the last report, and start anew; None when there was no call."""
        with self.lock.held():
            count, total, least, most = self.numbers[:]
            self.numbers[:] = [0.0] * 4
        if not count:
            return None
        report = {"min": least, "max": most, "avg": total / count, "total": total}
        return {name: round(value, DECIMALS) for name, value in report.items()}


def open_timings() -> Timings:
    """Make room for the numbers; call it before workers are forked."""
    return Timings(multiprocessing.RawArray("d", 4), open_lock())
