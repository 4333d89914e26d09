"""The process that was started: it owns the sockets, answers probes, and starts and ends generations.

It imports neither user code nor numpy and has one thread, so that it can fork at any time.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

from custom_model_runner import logs
from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK, LoadError, Terminated
from custom_model_runner.server import health, listening, processes
from custom_model_runner.server.board import Board, Generation, OfGeneration, OfServer, State, open_board
from custom_model_runner.server.probes import Answer, Probes, said
from custom_model_runner.server.seat import EXIT_UNSHARED, Seat
from custom_model_runner.settings import ServerSettings
from custom_model_runner.settings.server import PROBE_PORT

# What loads has nothing to lose, and what is to end quickly has been asked to.
LOADING_SECONDS = 0.4
QUICK_SECONDS = 1.5
# Beyond its own grace period.
SPARE_SECONDS = 3.0
# A generation that dies sooner will not get any further the next time.
SHORT_LIFE_SECONDS = 60.0
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
IGNORED = (signal.SIGUSR1, signal.SIGUSR2)
SIGNALS = frozenset({*ENDING, *IGNORED, signal.SIGHUP, signal.SIGCHLD})


class _Forked(Exception):  # it is no error
    """Raised in the child, to leave the supervisor's frames."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self.seat = seat


@dataclass
class _Child:
    """A generation as its supervisor sees it; `kill_at` is when its time is up."""

    generation: Generation
    started: float
    may_share: bool
    is_draining: bool = False
    kill_at: float | None = None

    @property
    def has_loaded(self) -> bool:
        """Whether some worker of it serves, or explains why none can."""
        return self.generation.state is not State.LOADING

    @property
    def grace(self) -> float:
        """The seconds in which calls may finish, as its master has settled them."""
        return self.generation.row.get(OfGeneration.GRACE_MILLISECONDS) / 1000


def supervise(start: Callable[[Seat], int], server: ServerSettings) -> int:
    """Serve until a signal ends it, and return the exit code; in a generation, return that of `start`."""
    listener = listening.listen(server.address)
    supervisor = Supervisor(listener, listening.place(listener, server.address[0]), open_board())
    supervisor.open(server)
    try:
        return supervisor.run()
    except _Forked as forked:
        seat = forked.seat
    return start(seat)


@dataclass
class Supervisor:
    """The state of the event loop."""

    listener: socket.socket
    address: str
    board: Board
    loop: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    children: dict[int, _Child] = field(default_factory=dict)
    signals: deque[int] = field(default_factory=deque)
    pipe: tuple[int, int] = field(default_factory=os.pipe)
    probes: Probes | None = None
    is_stopping: bool = False
    exit_code: int | None = None
    # Told when a model serves, lest it stands before the reason why none does.
    late_notice: str | None = None

    def open(self, server: ServerSettings) -> None:
        """Begin to listen to signals, generations and probes."""
        for end in self.pipe:
            os.set_blocking(end, False)
        self.loop.register(self.pipe[0], selectors.EVENT_READ, self._empty_pipe)
        self._open_probes(server)
        self.board.server.put(OfServer.PID, os.getpid())
        for number in SIGNALS:
            signal.signal(number, self._note)
        signal.set_wakeup_fd(self.pipe[1], warn_on_full_buffer=False)

    def run(self) -> int:
        """Start a generation and stay until none is left."""
        self._fork()
        while self.exit_code is None or self.children:
            for key, _ in self.loop.select(self._seconds_to_wait()):
                key.data()
            while self.signals:
                self._obey(self.signals.popleft())
            self._reap()
            self._promote()
            self._kill_overdue()
        return self.exit_code

    def _open_probes(self, server: ServerSettings) -> None:
        listener = probe_listener(server)
        if listener is None:
            if server.probe_address is None:
                self.late_notice = f"there is no probe port: {PROBE_PORT} is taken (--probe-address chooses another)"
            return
        pages = {"/livez": live, "/readyz": lambda: ready(self.board)}
        self.probes = Probes(listener, self.loop, pages)
        self.probes.open()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signals.append(number)

    def _empty_pipe(self) -> None:
        os.read(self.pipe[0], 4096)

    def _seconds_to_wait(self) -> float | None:
        waits = [child.kill_at - time.monotonic() for child in self.children.values() if child.kill_at is not None]
        if self.probes is not None and (seconds := self.probes.end_overdue()) is not None:
            waits.append(seconds)
        return max(min(waits), 0.0) if waits else None

    def _obey(self, number: int) -> None:
        if number in ENDING:
            self._stop(is_quick=number != signal.SIGTERM or self.is_stopping)
        elif number == signal.SIGHUP:
            self._reload()

    # Generations

    def _fork(self, *, may_share: bool = True) -> None:
        """Start a generation; the child leaves by an exception."""
        generation = next(one for one in self.board.generations if one.state is State.NONE)
        generation.clear()
        generation.row.put(OfGeneration.STATE, State.LOADING)
        supervisor = os.getpid()
        # A signal between the fork and the child's own handlers would be noted by nobody.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._become_generation(supervisor)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            generation.row.put(OfGeneration.PID, os.getpid())
            raise _Forked(Seat(self.listener, self.address, self.board, generation, self.pipe[1], may_share))
        self.children[pid] = _Child(generation, time.monotonic(), may_share)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _become_generation(self, supervisor: int) -> None:
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end_once)
        processes.end_with_parent(supervisor)
        self.loop.close()
        os.close(self.pipe[0])
        if self.probes is not None:
            self.probes.leave()

    def _promote(self) -> None:
        """See which generations have loaded; the newest that serves sends the others away."""
        for child in self.children.values():
            if child.is_draining or child.has_loaded or not _is_loaded(child.generation):
                continue
            child.generation.row.put(OfGeneration.STATE, State.READY)
            if self.late_notice:
                logs.notice(self.late_notice)
                self.late_notice = None
            for other in self.children.values():
                if other is not child:
                    self._drain(other)

    def _reload(self) -> None:
        logs.notice("SIGHUP has no effect yet")

    def _stop(self, *, is_quick: bool) -> None:
        self.is_stopping = True
        self.exit_code = EXIT_OK
        self.board.server.put(OfServer.STATE, State.DRAINING)
        for child in self.children.values():
            self._drain(child, is_quick=is_quick)

    def _drain(self, child: _Child, *, is_quick: bool = False) -> None:
        if child.is_draining and not is_quick:
            return
        child.is_draining = True
        if not child.has_loaded:
            seconds = LOADING_SECONDS
        else:
            seconds = QUICK_SECONDS if is_quick else child.grace + SPARE_SECONDS
        child.generation.row.put(OfGeneration.STATE, State.DRAINING)
        child.kill_at = min(time.monotonic() + seconds, child.kill_at or float("inf"))
        os.kill(self._pid_of(child), signal.SIGINT if is_quick else signal.SIGTERM)

    def _pid_of(self, child: _Child) -> int:
        return next(pid for pid, other in self.children.items() if other is child)

    def _kill_overdue(self) -> None:
        for pid, child in self.children.items():
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                child.kill_at = None
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # The first process of a container inherits what others left.
            if pid in self.children:
                self._bury(self.children.pop(pid), status)

    def _bury(self, child: _Child, status: int) -> None:
        had_loaded = child.has_loaded
        child.generation.clear()
        if child.is_draining:
            return
        code = os.waitstatus_to_exitcode(status)
        if code == EXIT_UNSHARED:
            self._fork(may_share=False)
        elif self.children:
            logs.notice("the new model could not be loaded; the old one goes on")
        elif code >= 0:
            self.exit_code = code
        elif not had_loaded:
            reason = f"the process that loads the folder was killed by {processes.signal_name(-code)}"
            logs.failure(LoadError(reason), show_stacktrace=False)
            self.exit_code = LoadError.exit_code
        else:
            self._replace(child, code)

    def _replace(self, child: _Child, code: int) -> None:
        self.board.server.add(OfServer.LOST_GENERATIONS, 1)
        logs.notice(f"error: the process that watches the workers was killed by {processes.signal_name(-code)}")
        if time.monotonic() - child.started < SHORT_LIFE_SECONDS:
            self.exit_code = EXIT_FAILURE
        else:
            self._fork(may_share=child.may_share)


def probe_listener(server: ServerSettings) -> socket.socket | None:
    """Open the socket of the probes, or return None where there are to be none."""
    given = server.probe_address
    if given is None:
        return listening.listen_if_free((server.address[0], PROBE_PORT))
    return listening.listen(given) if given else None


def live() -> Answer:
    """Say that the supervisor lives."""
    return said(200, "OK")


def ready(board: Board) -> Answer:
    """Say that requests are welcome, or why not."""
    reason = health.why_not_ready(board)
    return said(200, "OK") if reason is None else said(503, f"ERROR: not ready: {reason}")


def _is_loaded(generation: Generation) -> bool:
    """Say whether every worker of a generation has loaded."""
    slots = generation.occupied
    return bool(slots) and all(slot.state in (State.READY, State.FAILED) for slot in slots)


def _end_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """End a process that loads; the same signal comes twice where a terminal sends it to all processes."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise Terminated
