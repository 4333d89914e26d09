"""What becomes of the memory that requests give back."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from custom_model_runner import heap
from custom_model_runner.heap import SECONDS_KEPT, Heap
from custom_model_runner.server.connections import PatientWorker
from custom_model_runner.server.worker import Worker

PROGRAM = """
import resource
from custom_model_runner import heap

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20

memory = heap.opened(heap.SERVER)
before = resident()
pieces = [b"x" * heap.MIB for _ in range(30)]
del pieces
kept = resident() - before
memory.note_use(0.0)
memory.tidy(heap.SECONDS_KEPT)
print(kept, resident() - before)
"""


def _counted() -> tuple[Heap, list[None]]:
    trims: list[None] = []
    return Heap(lambda: trims.append(None)), trims


def test_memory_is_kept_after_requests_and_given_back_later() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    kept, later = map(int, ended.stdout.split())
    assert kept >= 25
    assert later <= 5


def test_memory_is_given_back_a_while_after_the_first_use_however_many_follow() -> None:
    memory, trims = _counted()
    memory.note_use(1.0)
    memory.note_use(SECONDS_KEPT + 0.5)
    memory.tidy(SECONDS_KEPT + 0.9)
    assert trims == []
    memory.tidy(SECONDS_KEPT + 1)
    assert len(trims) == 1


def test_nothing_is_given_back_where_nothing_was_used_since() -> None:
    memory, trims = _counted()
    memory.tidy(100.0)
    memory.note_use(100.0)
    memory.tidy(200.0)
    memory.tidy(300.0)
    assert len(trims) == 1


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory = heap.opened(heap.SERVER)
    memory.note_use(0.0)
    memory.tidy(SECONDS_KEPT)


@pytest.mark.parametrize("size", [heap.LARGE - 1, heap.LARGE])
def test_what_a_large_body_has_taken_is_given_back_at_once(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(PatientWorker, "handle_request", lambda *_: True)
    worker: Any = object.__new__(Worker)
    worker.memory, trims = _counted()
    request = SimpleNamespace(headers=[("HOST", "here"), ("CONTENT-LENGTH", str(size))])
    assert worker.handle_request(request, None)
    assert len(trims) == (size >= heap.LARGE)


def test_a_worker_tidies_after_what_it_has_served(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((1.0, SECONDS_KEPT, SECONDS_KEPT + 1))
    monkeypatch.setattr("custom_model_runner.server.worker.time", SimpleNamespace(monotonic=lambda: next(times)))
    worker: Any = object.__new__(Worker)
    worker.memory, trims = _counted()
    worker.alive, worker.abandoned = False, {"socket"}
    worker.method_queue = SimpleNamespace(fileno=None)
    worker.poller = SimpleNamespace(select=lambda _timeout: [])
    worker.finish_request(SimpleNamespace(sock="socket", close=lambda: None), None)
    worker.wait_for_and_dispatch_events(0)
    assert trims == []
    worker.wait_for_and_dispatch_events(0)
    assert len(trims) == 1
