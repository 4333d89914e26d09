"""The calls of a worker, counted on the board while they wait for the model and while they are inside it."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from custom_model_runner.server.board import OfWorker, Slot


@dataclass(frozen=True)
class CountedSlots(AbstractContextManager[None]):
    """Slots that tell the board who waits for them and who has one; like them, entered by many threads at a time."""

    slots: AbstractContextManager[Any]
    row: Slot
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> None:
        self._add(waiting=1)
        has_entered = False
        try:
            self.slots.__enter__()
            has_entered = True
        finally:
            self._add(waiting=-1, in_flight=int(has_entered))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.slots.__exit__(kind, error, trace)
        finally:
            self._add(in_flight=-1)

    def _add(self, *, waiting: int = 0, in_flight: int = 0) -> None:
        with self.lock:
            self.row.add(OfWorker.WAITING, waiting)
            self.row.add(OfWorker.IN_FLIGHT, in_flight)
