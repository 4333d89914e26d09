"""The master of a generation: why workers end, and when that ends the server."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from gunicorn.errors import HaltServer

from custom_model_runner.server import launch
from custom_model_runner.server.arbiter import MOST_STRIKES, SECONDS_BETWEEN_TRIES, Arbiter, end_of
from custom_model_runner.server.board import OfGeneration, OfServer, OfWorker, Slot, State, open_board
from custom_model_runner.server.gunicorn import Application
from custom_model_runner.server.launch import Launch

from .seats import seat_on


def _master(*, is_running: bool = True) -> Arbiter:
    """Return a master that has forked nothing yet."""
    begun = Launch(
        seat_on(open_board(2)),
        make_app=lambda slot: Flask("x"),
        end=lambda seconds: None,
        greeting="",
        show_stacktrace=False,
        has_greeted=launch.shared_number(),
        exit_code=launch.shared_number(),
    )
    begun.seat.generation.row.put(OfGeneration.WORKERS, 2)
    master = Arbiter(Application(begun, {}))
    vars(master).update(WORKERS={}, LISTENERS=["open"] if is_running else [])
    return master


def _ended_worker(master: Arbiter, script: str, *, calls: int = 0, state: State = State.READY) -> Slot:
    """Give the master a worker that has ended but is not yet collected, and return its slot."""
    worker = SimpleNamespace(tmp=SimpleNamespace(close=lambda: None))
    master.assign(worker)
    worker.slot.put(OfWorker.STATE, state)
    worker.slot.put(OfWorker.CALLS, calls)
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    master.WORKERS[pid] = worker
    slot: Slot = worker.slot
    return slot


def test_a_worker_that_cannot_load_halts_a_server_that_runs() -> None:
    master = _master()
    _ended_worker(master, f"exit {Arbiter.APP_LOAD_ERROR}", state=State.LOADING)
    with pytest.raises(HaltServer):
        master.reap_workers()


def test_a_worker_that_cannot_load_while_others_serve_is_started_anew_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master = _master()
    started: list[int] = []
    monkeypatch.setattr(master, "spawn_worker", lambda: started.append(1))
    _ended_worker(master, f"exit {Arbiter.TRY_AGAIN}", state=State.LOADING)
    master.reap_workers()
    master.num_workers = 1
    master.spawn_workers()
    assert started == []
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + SECONDS_BETWEEN_TRIES)
    master.spawn_workers()
    assert started == [1]
    assert master.launch.seat.board.ended()["exit"] == 1


def test_a_second_worker_that_cannot_load_does_not_disturb_the_halt() -> None:
    master = _master(is_running=False)
    _ended_worker(master, f"exit {Arbiter.APP_LOAD_ERROR}", state=State.LOADING)
    master.reap_workers()
    assert master.WORKERS == {}


def test_a_worker_that_dies_before_any_has_loaded_ends_the_server_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    master = _master()
    _ended_worker(master, "kill -SEGV $$", state=State.LOADING)
    with pytest.raises(HaltServer):
        master.reap_workers()
    assert "while it loaded the folder: it was killed by SIGSEGV" in capsys.readouterr().err
    assert master.launch.exit_code.cell.value == 4


def test_a_master_whose_supervisor_is_gone_ends() -> None:
    master = _master()
    master.launch.seat.board.server.put(OfServer.PID, os.getppid())
    master.maybe_promote_master()
    master.launch.seat.board.server.put(OfServer.PID, os.getpid())
    with pytest.raises(HaltServer):
        master.maybe_promote_master()


def test_the_slot_of_a_worker_that_died_is_free_again_and_its_end_is_counted() -> None:
    master = _master()
    slot = _ended_worker(master, "exit 3", calls=1)
    master.reap_workers()
    assert slot.state is State.NONE
    assert master.launch.seat.board.ended()["exit"] == 1
    assert _ended_worker(master, "exit 3").number == slot.number


def test_a_worker_that_cannot_be_forked_is_forked_later_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    master = _master()
    room = [False]

    def spawn_worker() -> None:
        worker = SimpleNamespace()
        master.assign(worker)
        if not room:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        room.pop()
        master.WORKERS[len(master.WORKERS)] = worker

    monkeypatch.setattr(master, "spawn_worker", spawn_worker)
    master.num_workers = 2
    master.spawn_workers()
    assert len(master.WORKERS) == 1
    assert "no worker could be started, which is tried again: Resource temporarily unavailable" in caplog.text
    room.append(True)
    master.spawn_workers()
    assert [worker.slot.number for worker in master.WORKERS.values()] == [0, 1]


def test_workers_that_die_one_after_the_other_without_an_answer_end_the_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    master = _master()
    for _ in range(MOST_STRIKES - 1):
        _ended_worker(master, "kill -SEGV $$")
        master.reap_workers()
    _ended_worker(master, "kill -SEGV $$")
    with pytest.raises(HaltServer):
        master.reap_workers()
    assert "was killed by SIGSEGV" in capsys.readouterr().err
    assert master.launch.exit_code.cell.value == 5


def test_a_worker_may_send_what_is_left_when_the_grace_period_is_over(tmp_path: Path) -> None:
    master = _master()
    master.cfg.set("graceful_timeout", 0)
    worker = SimpleNamespace(tmp=SimpleNamespace(close=lambda: None))
    master.assign(worker)
    script = "trap '' TERM; echo > ready; sleep 0.5; echo > sent"
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"cd {tmp_path}; {script}"], os.environ)
    master.WORKERS[pid] = worker
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    vars(master).update(LISTENERS=[])
    master.stop()
    assert (tmp_path / "sent").exists()


@pytest.mark.parametrize(("calls", "age"), [(1, 0.0), (0, 100.0)], ids=["that has answered", "that is old"])
def test_a_worker_is_no_part_of_a_loop(calls: int, age: float) -> None:
    master = _master()
    for _ in range(MOST_STRIKES + 1):
        _ended_worker(master, "kill -SEGV $$", calls=calls)
        for worker in master.WORKERS.values():
            worker.born = time.monotonic() - age
        master.reap_workers()


@pytest.mark.parametrize(
    ("code", "leaving", "was_memory", "reason", "words"),
    [
        (0, OfGeneration.ENDED_ON_PURPOSE, False, OfGeneration.ENDED_ON_PURPOSE, "meant to"),
        (0, OfGeneration.ENDED_STUCK, False, OfGeneration.ENDED_STUCK, "meant to"),
        (0, 0, False, OfGeneration.ENDED_BY_EXIT, "code 0"),
        (3, OfGeneration.ENDED_ON_PURPOSE, False, OfGeneration.ENDED_BY_EXIT, "code 3"),
        (255, 0, False, OfGeneration.ENDED_BY_EXIT, "an exception that is in the log"),
        (-signal.SIGSEGV, 0, False, OfGeneration.ENDED_BY_SIGNAL, "killed by SIGSEGV"),
        (-signal.SIGKILL, 0, False, OfGeneration.ENDED_BY_SIGNAL, "SIGKILL, perhaps because the memory"),
        (-signal.SIGKILL, 0, True, OfGeneration.ENDED_BY_MEMORY, "SIGKILL, most likely because the memory"),
    ],
)
def test_the_reason_of_an_end(code: int, leaving: int, was_memory: bool, reason: OfGeneration, words: str) -> None:
    slot = open_board(1).generations[0].slots[0]
    slot.put(OfWorker.LEAVING, leaving)
    end = end_of(code, slot, was_memory=was_memory)
    assert end.reason is reason
    assert words in end.words
