"""Who may call the model, and who may wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from custom_model_runner.errors import Overloaded, TimedOut
from custom_model_runner.server.admission import Admission, open_admission
from custom_model_runner.server.board import OfWorker, Slot, open_board
from custom_model_runner.server.deadlines import Watch, Watchman


def row() -> Slot:
    return open_board(1).generations[0].slots[0]


def told(admission: Admission) -> tuple[int, int]:
    """Return how many calls are inside and how many wait, as the board tells it."""
    return admission.row.get(OfWorker.IN_FLIGHT), admission.row.get(OfWorker.WAITING)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def calls(admission: Admission, number: int) -> Iterator[list[Future[None]]]:
    """Have so many threads call, which stay inside until the end of the block."""
    may_leave = threading.Event()

    def call() -> None:
        with admission.enter():
            may_leave.wait(10)

    with ThreadPoolExecutor(number) as pool:
        try:
            yield [pool.submit(call) for _ in range(number)]
        finally:
            may_leave.set()


def test_who_is_inside_and_who_waits_stands_on_the_board_until_it_is_over() -> None:
    admission = open_admission(row(), most_calls=2, most_waiting=3)
    with calls(admission, 4):
        until(lambda: told(admission) == (2, 2))
        assert not admission.row.is_full
    assert told(admission) == (0, 0)


def test_a_call_that_finds_the_queue_full_is_refused_and_changes_nothing() -> None:
    admission = open_admission(row(), most_calls=1, most_waiting=2)
    with calls(admission, 3) as asked:
        until(lambda: told(admission) == (1, 2))
        assert admission.row.is_full
        with pytest.raises(Overloaded, match="--max-queue"), admission.enter():
            pytest.fail("it was let in")
        with pytest.raises(Overloaded):
            admission.refuse_if_full()
        assert told(admission) == (1, 2)
    assert [one.result(10) for one in asked] == [None] * 3
    admission.refuse_if_full()


def test_who_came_first_enters_first_though_others_ask_the_moment_a_slot_is_free() -> None:
    admission = open_admission(row(), most_calls=1, most_waiting=4)
    order: list[str] = []

    def call(name: str) -> None:
        with admission.enter():
            order.append(name)

    with ThreadPoolExecutor(3) as pool:
        with admission.enter():
            for number, name in enumerate(("first", "second", "third"), 1):
                pool.submit(call, name)
                until(lambda number=number: told(admission) == (1, number))  # type: ignore[misc]
        call("again")
    assert order == ["first", "second", "third", "again"]
    assert told(admission) == (0, 0)


def test_without_a_queue_a_slot_that_is_free_is_taken_and_one_that_is_not_is_refused() -> None:
    admission = open_admission(row(), most_calls=1, most_waiting=0)
    with admission.enter(), pytest.raises(Overloaded), admission.enter():
        pytest.fail("it was let in")
    with admission.enter():
        assert told(admission) == (1, 0)


def test_a_call_that_fails_gives_its_slot_back() -> None:
    admission = open_admission(row(), most_calls=1, most_waiting=0)
    with pytest.raises(ZeroDivisionError), admission.enter():
        raise ZeroDivisionError
    assert told(admission) == (0, 0)


def test_who_waits_beyond_the_deadline_is_refused_and_no_longer_waits() -> None:
    watchman = Watchman(grace=1)
    admission = open_admission(
        row(), most_calls=1, most_waiting=1, watch=lambda: Watch(watchman.clock() + 0.05, watchman, lambda: None)
    )
    with calls(admission, 1):
        until(lambda: told(admission) == (1, 0))
        with pytest.raises(TimedOut, match="--request-timeout"), admission.enter():
            pytest.fail("it was let in")
        assert told(admission) == (1, 0)


def test_a_request_whose_time_is_over_does_not_enter_though_a_slot_is_free() -> None:
    watchman = Watchman(grace=1)
    admission = open_admission(
        row(), most_calls=1, most_waiting=1, watch=lambda: Watch(watchman.clock(), watchman, lambda: None)
    )
    with pytest.raises(TimedOut, match="before the model could be asked"), admission.enter():
        pytest.fail("it was let in")
    assert told(admission) == (0, 0)


def test_a_call_is_overdue_from_its_deadline_until_it_ends() -> None:
    watchman = Watchman(grace=1)
    refused = threading.Event()
    admission = open_admission(
        row(), most_calls=1, most_waiting=0, watch=lambda: Watch(watchman.clock() + 0.02, watchman, refused.set)
    )
    with admission.enter():
        assert refused.wait(10)
        assert admission.row.get(OfWorker.OVERDUE) == 1
    assert admission.row.get(OfWorker.OVERDUE) == 0
