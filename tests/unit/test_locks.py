"""A lock between forked processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from custom_model_runner.locks import Lock, open_lock

FORK = multiprocessing.get_context("fork")


def exit_code_of(function: Callable[..., object], *args: Any) -> int | None:
    """Return how a function ends in another process; None when it does not."""
    child = FORK.Process(target=function, args=args)
    child.start()
    child.join(10)
    code = child.exitcode
    child.kill()
    child.join()
    return code


def die_inside(lock: Lock) -> None:
    with lock.held():
        os.kill(os.getpid(), signal.SIGKILL)


def enter(lock: Lock) -> None:
    with lock.held():
        pass


def test_a_holder_that_is_killed_keeps_nobody_out() -> None:
    lock = open_lock()
    assert exit_code_of(die_inside, lock) == -signal.SIGKILL
    assert exit_code_of(enter, lock) == 0


def add(lock: Lock, cell: Any) -> None:
    for _ in range(2000):
        with lock.held():
            cell.value += 1


def test_of_all_threads_of_all_processes_one_is_inside() -> None:
    lock, cell = open_lock(), multiprocessing.RawValue("i", 0)
    children = [FORK.Process(target=add, args=(lock, cell)) for _ in range(2)]
    for child in children:
        child.start()
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(add, lock, cell)
    for child in children:
        child.join()
    assert cell.value == 8000
