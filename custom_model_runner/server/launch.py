"""What master and workers of a generation know of what they serve."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from ctypes import c_int
from dataclasses import dataclass

from flask import Flask

from custom_model_runner import logs
from custom_model_runner.errors import RunnerError
from custom_model_runner.locks import Lock, open_lock
from custom_model_runner.server.board import Slot
from custom_model_runner.server.seat import Seat


@dataclass(frozen=True)
class SharedNumber:
    """A number that forked processes share; it starts at zero and keeps the first value it is given."""

    cell: c_int
    lock: Lock

    def offer(self, value: int) -> bool:
        """Set the number unless it is set, and say whether this was the first time."""
        with self.lock.held():
            is_first = not self.cell.value
            if is_first:
                self.cell.value = value
        return is_first


def shared_number() -> SharedNumber:
    """Make a number; call it before workers are forked."""
    return SharedNumber(multiprocessing.RawValue("i", 0), open_lock())


@dataclass(frozen=True)
class Launch:
    """How workers get their application and end, and what they tell the master: that one serves, that one failed.

    `make_app` is given the slot of its worker, and `end` the seconds that its last work may take; `clean` keeps
    secrets out of a text; `receive_seconds` is what a request may take to come.
    """

    seat: Seat
    make_app: Callable[[Slot], Flask]
    end: Callable[[float], None]
    greeting: str
    show_stacktrace: bool
    has_greeted: SharedNumber
    exit_code: SharedNumber
    clean: Callable[[str], str] = str
    receive_seconds: float = 30.0

    def greet(self) -> None:
        """Say once that the model is served."""
        if self.has_greeted.offer(1):
            logs.notice(self.greeting)

    def fail(self, error: RunnerError) -> None:
        """Say once why the model cannot be served."""
        if self.exit_code.offer(error.exit_code):
            logs.failure(error, show_stacktrace=self.show_stacktrace)
