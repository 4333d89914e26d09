"""Calls counted on the board."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from custom_model_runner.server.board import OfWorker, open_board
from custom_model_runner.server.calls import CountedSlots


def test_who_waits_and_who_is_inside_is_told_while_it_lasts() -> None:
    row = open_board(1).generations[0].slots[0]
    calls = CountedSlots(threading.Lock(), row)
    may_leave = threading.Event()

    def call() -> None:
        with calls:
            may_leave.wait(10)

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(call) for _ in range(3)]
        while (row.get(OfWorker.IN_FLIGHT), row.get(OfWorker.WAITING)) != (1, 2):
            threading.Event().wait(0.001)
        may_leave.set()
        assert [one.result(10) for one in done] == [None] * 3
    assert (row.get(OfWorker.IN_FLIGHT), row.get(OfWorker.WAITING)) == (0, 0)


def test_a_call_that_fails_and_one_that_does_not_get_in_are_over() -> None:
    @contextmanager
    def closed() -> Iterator[None]:
        raise ValueError("closed")
        yield

    row = open_board(1).generations[0].slots[0]
    with pytest.raises(ValueError, match="closed"), CountedSlots(closed(), row):
        pass
    calls = CountedSlots(threading.Lock(), row)
    with pytest.raises(ZeroDivisionError), calls:
        raise ZeroDivisionError
    assert (row.get(OfWorker.IN_FLIGHT), row.get(OfWorker.WAITING)) == (0, 0)
