"""The process that was started: it owns the sockets, answers probes, and starts and ends generations.

It imports neither user code nor numpy and has one thread, so that it can fork at any time.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from custom_model_runner import logs, plugins, processes
from custom_model_runner.errors import EXIT_OK, Terminated
from custom_model_runner.server import health, listening
from custom_model_runner.server.board import Board, Generation, OfServer, State, open_board
from custom_model_runner.server.facts import facts_of
from custom_model_runner.server.generations import Generations
from custom_model_runner.server.probes import Answer, Probes, said
from custom_model_runner.server.seat import Seat
from custom_model_runner.settings import ServerSettings
from custom_model_runner.settings.server import PROBE_PORT

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
IGNORED = (signal.SIGUSR1, signal.SIGUSR2)
SIGNALS = frozenset({*ENDING, *IGNORED, signal.SIGHUP, signal.SIGCHLD})


class _Forked(Exception):  # it is no error
    """Raised in the child, to leave the supervisor's frames."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self.seat = seat


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
    signals: deque[int] = field(default_factory=deque)
    pipe: tuple[int, int] = field(default_factory=os.pipe)
    probes: Probes | None = None
    is_stopping: bool = False
    # Told when a model serves, lest it stands before the reason why none does.
    late_notice: str | None = None

    def open(self, server: ServerSettings) -> None:
        """Begin to listen to signals, generations and probes."""
        for end in self.pipe:
            os.set_blocking(end, False)
        self.loop.register(self.pipe[0], selectors.EVENT_READ, self._empty_pipe)
        self._open_probes(server)
        self.board.server.put(OfServer.PID, os.getpid())
        # What a handler notes before the loop can be woken would wait there.
        signal.set_wakeup_fd(self.pipe[1], warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda number, _: self.signals.append(number))

    def run(self) -> int:
        """Start a generation and stay until none is left."""
        generations = Generations(self.board, self._become)
        generations.start()
        while generations.children or not generations.is_ending:
            for key, _ in self.loop.select(self._seconds_to_wait(generations)):
                key.data()
            while self.signals:
                self._obey(self.signals.popleft(), generations)
            if generations.step() and self.late_notice:
                logs.notice(self.late_notice)
                self.late_notice = None
            if self.is_stopping:
                self._refuse_when_all_drain(generations)
        return generations.exit_code or EXIT_OK

    def _open_probes(self, server: ServerSettings) -> None:
        listener = probe_listener(server)
        if listener is not None:
            pages = {
                "/livez": live,
                "/readyz": lambda: ready(self.board),
                "/metrics": lambda: metrics(self.board, server.metrics_directory),
            }
            self.probes = Probes(listener, self.loop, pages)
            self.probes.open()
        elif server.probe_address is None:
            self.late_notice = f"there is no probe port: {PROBE_PORT} is taken (--probe-address chooses another)"

    def _empty_pipe(self) -> None:
        os.read(self.pipe[0], 4096)

    def _seconds_to_wait(self, generations: Generations) -> float | None:
        waits = [generations.seconds_left(), self.probes.end_overdue() if self.probes else None]
        return min((seconds for seconds in waits if seconds is not None), default=None)

    def _obey(self, number: int, generations: Generations) -> None:
        if number in ENDING:
            generations.stop(is_quick=number != signal.SIGTERM or self.is_stopping)
            self.is_stopping = True
            self.board.server.put(OfServer.STATE, State.DRAINING)
        elif number == signal.SIGHUP:
            generations.reload()

    def _refuse_when_all_drain(self, generations: Generations) -> None:
        """Refuse connections as soon as no worker takes any, rather than let them wait for nothing."""
        states = {slot.state for child in generations.children.values() for slot in child.generation.occupied}
        if self.listener.fileno() >= 0 and states <= {State.DRAINING, State.NONE}:
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def _become(self, generation: Generation, may_share: bool) -> NoReturn:
        """Turn the child of a fork into a generation: nothing of the supervisor stays but what is in its seat."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end_once)
        processes.end_with_parent(self.board.server.get(OfServer.PID))
        self.loop.close()
        os.close(self.pipe[0])
        if self.probes is not None:
            self.probes.leave()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        raise _Forked(Seat(self.listener, self.address, self.board, generation, self.pipe[1], may_share))


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


def metrics(board: Board, directory: Path | None) -> Answer:
    """Return the metrics of all processes; what writes them is imported when they are first asked for."""
    if directory is None:
        return said(404, "ERROR: nothing is counted")
    writer = plugins.find(plugins.ENTRIES["exposition"])
    return Answer(200, writer.exposition(directory, facts_of(board)), writer.CONTENT_TYPE)


def _end_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """End a process that loads; the same signal comes twice where a terminal sends it to all processes."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise Terminated
