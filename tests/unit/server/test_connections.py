"""What a worker does with its connections and threads."""

from __future__ import annotations

import threading

import pytest

from custom_model_runner.server.connections import Pool


def test_threads_that_the_system_does_not_give_leave_the_work_to_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Pool(4) as pool:
        may_end = threading.Event()
        first = pool.submit(may_end.wait, 10)

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        second = pool.submit(int, "7")
        may_end.set()
        assert (first.result(10), second.result(10)) == (True, 7)
    with Pool(4) as pool, pytest.raises(RuntimeError):
        pool.submit(int, "7")
