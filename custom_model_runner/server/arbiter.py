"""The master of a generation: it forks workers, gives each a slot of the board, and replaces those that die."""

from __future__ import annotations

import logging
import os
import queue
import signal
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from gunicorn import arbiter, sock
from gunicorn.errors import HaltServer

from custom_model_runner import processes
from custom_model_runner.errors import LoadError, UserCodeError
from custom_model_runner.server.board import OfGeneration, OfServer, OfWorker, Slot, State
from custom_model_runner.server.launch import Launch

LOG = logging.getLogger("drum.server")

# gunicorn's own code for an exception that nothing caught.
GUNICORN_FAILED = 255
QUICK_STOP_SECONDS = 1.0
# After its last call, or the grace period, a worker may do so long what is left to do: send spans and reports.
END_SECONDS = 2.0
# What it takes to notice that, and to end.
SLACK_SECONDS = 0.5
# So many workers in a row that die young, without having answered one call, are the folder's fault.
MOST_STRIKES = 10
# A worker that could not load while others serve is started anew after so long.
SECONDS_BETWEEN_TRIES = 5.0
YOUNG_SECONDS = 60.0


@dataclass(frozen=True)
class End:
    """Why a worker ended: the cell that counts it, and words for a person."""

    reason: OfGeneration
    words: str

    @property
    def is_planned(self) -> bool:
        """Whether the worker itself chose to end."""
        return self.reason is OfGeneration.ENDED_ON_PURPOSE


def end_of(code: int, slot: Slot, *, was_memory: bool) -> End:
    """Return why a worker ended; a negative code is the number of a signal."""
    leaving = slot.get(OfWorker.LEAVING)
    if code == 0 and leaving:
        return End(OfGeneration(leaving), "ended as it was meant to")
    if code == GUNICORN_FAILED:
        words = f"failed (code {code}: an exception that is in the log, or os._exit in user code)"
        return End(OfGeneration.ENDED_BY_EXIT, words)
    if code >= 0:
        return End(OfGeneration.ENDED_BY_EXIT, f"ended itself with code {code} (os._exit in user code or a library)")
    name = processes.signal_name(-code)
    if was_memory:
        # The system counts its kills, but does not say whom it has killed.
        return End(OfGeneration.ENDED_BY_MEMORY, f"was killed by {name}, most likely because the memory was used up")
    hint = ", perhaps because the memory was used up" if -code == signal.SIGKILL else ""
    return End(OfGeneration.ENDED_BY_SIGNAL, f"was killed by {name}{hint}")


class Arbiter(arbiter.Arbiter):
    """gunicorn's master, which tells why workers end; a quick stop does not wait for calls that run."""

    # A worker that ends with one of these ends the server; user code may well exit with gunicorn's own 3 and 4.
    WORKER_BOOT_ERROR = 250
    APP_LOAD_ERROR = 251
    # It could not load what others loaded earlier: the folder has changed, or is out of reach for now.
    TRY_AGAIN = 252

    app: Any
    WORKERS: ClassVar[dict[int, Any]]
    LISTENERS: ClassVar[list[Any]]

    def __init__(self, app: Any) -> None:
        self.has_loaded = False
        self.strikes = 0
        self.next_try = 0.0
        self.kills_for_memory = processes.kills_for_memory()
        super().__init__(app)

    @property
    def launch(self) -> Launch:
        """What is served."""
        launch: Launch = self.app.launch
        return launch

    # Signals that mean another thing under a supervisor, or nothing: a board has room for so many workers.

    def handle_hup(self) -> None:
        """Leave reloading to the supervisor."""

    handle_ttin = handle_ttou = handle_usr2 = handle_winch = handle_hup

    def maybe_promote_master(self) -> None:
        """End when the supervisor is gone, where the system does not see to that by itself."""
        if os.getppid() != self.launch.seat.board.server.get(OfServer.PID):
            raise HaltServer("The first process is gone.")

    # Workers

    def assign(self, worker: Any) -> None:
        """Give a worker that is about to be forked a slot that no other has."""
        taken = {other.slot.number for other in self.WORKERS.values()}
        worker.slot = next(slot for slot in self.launch.seat.generation.occupied if slot.number not in taken)
        worker.slot.put(OfWorker.STATE, State.LOADING)
        worker.born = time.monotonic()

    def spawn_workers(self) -> None:
        """Fork the workers that are missing; where there is no room for them or they could not load, later."""
        if time.monotonic() < self.next_try:
            return
        try:
            for _ in range(self.num_workers - len(self.WORKERS)):
                self.spawn_worker()
        except OSError as error:
            # gunicorn asks for them again every second.
            LOG.error("no worker could be started, which is tried again: %s", error.strerror)

    def reap_workers(self) -> None:
        """Collect the workers that ended, and say why they did."""
        for pid, code in processes.ended_children():
            worker = self.WORKERS.pop(pid, None)
            if worker is None:
                continue
            worker.tmp.close()
            self.has_loaded = self.has_loaded or worker.slot.state is not State.LOADING
            try:
                if not self._is_stopping:
                    self._judge(pid, code, worker)
            finally:
                worker.slot.clear()

    @property
    def _is_stopping(self) -> bool:
        return not self.LISTENERS

    def _judge(self, pid: int, code: int, worker: Any) -> None:
        """Count and tell the end of a worker; the server ends where the next one would die as well."""
        if code in (self.WORKER_BOOT_ERROR, self.APP_LOAD_ERROR):
            raise HaltServer("A worker cannot load.", code)
        if code == self.TRY_AGAIN:
            self.launch.seat.generation.row.add(OfGeneration.ENDED_BY_EXIT, 1)
            self.next_try = time.monotonic() + SECONDS_BETWEEN_TRIES
            return
        end = end_of(code, worker.slot, was_memory=code == -signal.SIGKILL and self._was_memory())
        self.launch.seat.generation.row.add(end.reason, 1)
        if end.is_planned:
            LOG.info("worker %s %s", pid, end.words)
            return
        if not (self.has_loaded or self._any_has_loaded()):
            self.launch.fail(LoadError(f"A worker process died while it loaded the folder: it {end.words}"))
            raise HaltServer("A worker died while it loaded.", self.APP_LOAD_ERROR)
        LOG.error("worker %s %s; another takes its place", pid, end.words)
        is_strike = worker.slot.get(OfWorker.CALLS) == 0 and time.monotonic() - worker.born < YOUNG_SECONDS
        self.strikes = self.strikes + 1 if is_strike else 0
        if self.strikes >= MOST_STRIKES:
            words = f"{self.strikes} workers died one after the other before they had answered a call; the last"
            self.launch.fail(UserCodeError(f"{words} {end.words}"))
            raise HaltServer("Workers die in a loop.", self.APP_LOAD_ERROR)

    def _any_has_loaded(self) -> bool:
        return any(slot.state in (State.READY, State.FAILED) for slot in self.launch.seat.generation.occupied)

    def _was_memory(self) -> bool:
        before, self.kills_for_memory = self.kills_for_memory, processes.kills_for_memory()
        return self.kills_for_memory > before

    # The end

    def stop(self, graceful: bool = True) -> None:
        """End the workers, within the grace period and what their own end takes; SIGINT and SIGQUIT shorten it."""
        sock.close_sockets(self.LISTENERS, False)
        self.LISTENERS = []  # type: ignore[misc]  # gunicorn has one per master
        self.kill_workers(signal.SIGTERM if graceful else signal.SIGQUIT)
        patience = self.cfg.graceful_timeout + END_SECONDS + SLACK_SECONDS if graceful else QUICK_STOP_SECONDS
        limit = time.monotonic() + patience
        while self.WORKERS and (left := limit - time.monotonic()) > 0:
            if self._next_signal(min(left, 0.1)) in (signal.SIGINT, signal.SIGQUIT):
                self.kill_workers(signal.SIGQUIT)
                limit = min(limit, time.monotonic() + QUICK_STOP_SECONDS)
            self.reap_workers()
        self.kill_workers(signal.SIGKILL)
        self.reap_workers()

    def _next_signal(self, seconds: float) -> int | None:
        try:
            number: int = self.SIG_QUEUE.get(timeout=seconds)
        except queue.Empty:
            return None
        return number
