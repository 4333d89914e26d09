"""Work that is done in threads before and behind the one that needs it, never more than a step away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
# How long an end that is forced waits for a thread that may be stuck in a read or a write.
PATIENCE = 2.0
_END = object()


class _Abandoned(Exception):
    """Whoever made the items has failed."""


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, of which the next one is made meanwhile, in a thread."""
    ready: Queue[tuple[Any, BaseException | None]] = Queue(1)
    is_over = threading.Event()

    def make() -> None:
        try:
            for item in items:
                ready.put((item, None))
                if is_over.is_set():
                    return
            ready.put((_END, None))
        except BaseException as error:
            ready.put((_END, error))

    threading.Thread(target=make, name="batch-ahead", daemon=True).start()
    try:
        while (pair := ready.get())[0] is not _END:
            yield pair[0]
        if pair[1] is not None:
            raise pair[1]
    finally:
        is_over.set()
        # A thread that waits to hand over an item may go on, and ends.
        _empty(ready)


def started(function: Callable[[], Made]) -> Callable[[], Made]:
    """Start a function in a thread, and return what waits for its result; nobody waits for it otherwise."""
    made: Future[Made] = Future()

    def run() -> None:
        try:
            made.set_result(function())
        except BaseException as error:
            made.set_exception(error)

    thread = threading.Thread(target=run, name="batch-started", daemon=True)
    thread.start()

    def result() -> Made:
        # The thread itself is gone then, and this process may fork.
        thread.join()
        return made.result()

    return result


def mapped(function: Callable[[Item], Made], items: Iterable[Item], *, threads: int) -> Iterator[Made]:
    """Yield what a function makes of each item, in order, so many calls at a time."""
    with ThreadPoolExecutor(threads, thread_name_prefix="batch-map") as pool:
        running: deque[Future[Made]] = deque()
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) > threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


@contextmanager
def behind(consume: Callable[[Iterator[Item]], None]) -> Iterator[Callable[[Item], None]]:
    """Give a function that hands items to what consumes them in a thread; a failure there is raised here."""
    waiting: Queue[Any] = Queue(1)
    failures: list[BaseException] = []
    has_all = threading.Event()

    def take() -> Iterator[Item]:
        while not _is_last(item := waiting.get()):
            yield item
        has_all.set()
        if item is _Abandoned:
            raise _Abandoned

    def run() -> None:
        try:
            consume(take())
        except BaseException as error:
            failures.append(error)
            # Whoever makes items must not wait for room.
            while not has_all.is_set() and not _is_last(waiting.get()):
                pass

    def put(item: Item) -> None:
        if failures:
            raise failures[0]
        waiting.put(item)

    thread = threading.Thread(target=run, name="batch-behind", daemon=True)
    thread.start()
    try:
        yield put
    except BaseException:
        _empty(waiting)
        waiting.put(_Abandoned)
        thread.join(PATIENCE)
        raise
    waiting.put(_END)
    thread.join()
    if failures:
        raise failures[0]


def handed_over(items: Iterable[Item], consume: Callable[[Iterator[Item]], None]) -> None:
    """Make all items here, and have them consumed in a thread."""
    with behind(consume) as put:
        for item in items:
            put(item)


def _is_last(item: object) -> bool:
    return item is _END or item is _Abandoned


def _empty(queue: Queue[Any]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
