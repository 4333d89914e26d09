"""The generations of a server: which one loads, which one serves, which ones are on their way out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from custom_model_runner import logs, processes
from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK, LoadError
from custom_model_runner.server.board import Board, Generation, OfGeneration, OfServer, State
from custom_model_runner.server.seat import EXIT_UNSHARED

# What loads has nothing to lose, and what is to end quickly has been asked to.
LOADING_SECONDS = 0.4
QUICK_SECONDS = 1.5
# Beyond its own grace period: what the end of its workers and its own take.
SPARE_SECONDS = 3.0
# A generation that dies sooner will not get any further the next time.
SHORT_LIFE_SECONDS = 60.0


@dataclass
class Child:
    """The process of a generation; `kill_at` is when its time is up."""

    pid: int
    generation: Generation
    may_share: bool
    started: float = field(default_factory=time.monotonic)
    is_draining: bool = False
    kill_at: float | None = None

    @property
    def has_loaded(self) -> bool:
        """Whether its workers serve, or explain why nothing could be loaded."""
        return self.generation.state is not State.LOADING

    @property
    def has_failed(self) -> bool:
        """Whether its workers only explain why nothing could be loaded."""
        return any(slot.state is State.FAILED for slot in self.generation.occupied)

    @property
    def settled(self) -> list[bool]:
        """Whether each of its workers has loaded, or has failed to."""
        return [slot.state in (State.READY, State.FAILED) for slot in self.generation.occupied]

    def drain(self, *, is_quick: bool = False) -> None:
        """Let it end when its calls have finished, or at once."""
        if self.is_draining and not is_quick:
            return
        grace = self.generation.row.get(OfGeneration.GRACE_MILLISECONDS) / 1000 + SPARE_SECONDS
        seconds = (QUICK_SECONDS if is_quick else grace) if self.has_loaded else LOADING_SECONDS
        self.is_draining = True
        self.generation.row.put(OfGeneration.STATE, State.DRAINING)
        self.kill_at = min(time.monotonic() + seconds, self.kill_at or float("inf"))
        os.kill(self.pid, signal.SIGINT if is_quick else signal.SIGTERM)


@dataclass
class Generations:
    """The generations that run; `become` makes the child of a fork one, and never returns.

    `exit_code` is that of the server, as soon as it is to end.
    """

    board: Board
    become: Callable[[Generation, bool], NoReturn]
    children: dict[int, Child] = field(default_factory=dict)
    exit_code: int | None = None
    is_to_reload: bool = False

    @property
    def is_ending(self) -> bool:
        """Whether the server is to end."""
        return self.exit_code is not None

    def start(self, *, may_share: bool = True) -> None:
        """Fork a generation; where the system has no room for it what serves goes on, and else the server ends."""
        generation = next(one for one in self.board.generations if one.state is State.NONE)
        generation.clear()
        generation.row.put(OfGeneration.STATE, State.LOADING)
        # A signal between the fork and the child's own handlers would be noted by nobody.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            generation.clear()
            self._do_without(error)
            return
        if pid == 0:
            self.become(generation, may_share)
        generation.row.put(OfGeneration.PID, pid)
        self.children[pid] = Child(pid, generation, may_share)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _do_without(self, error: OSError) -> None:
        logs.notice(f"error: no process could be started: {error.strerror}")
        if self._serving():
            self._say_that_reloading_failed()
        else:
            self.exit_code = EXIT_FAILURE

    def reload(self) -> None:
        """Start a second generation; one that loads already may have read the folder before it was changed."""
        is_loading = any(not child.has_loaded for child in self.children.values())
        has_room = any(one.state is State.NONE for one in self.board.generations)
        self.is_to_reload = not self.is_ending and (is_loading or not has_room)
        if self.is_to_reload or self.is_ending:
            return
        logs.notice("SIGHUP: loading the folder anew")
        self.board.server.add(OfServer.RELOADS, 1)
        self.start()

    def stop(self, *, is_quick: bool) -> None:
        """Let all end."""
        self.exit_code = EXIT_OK
        for child in self.children.values():
            child.drain(is_quick=is_quick)

    def step(self) -> bool:
        """Do what time, and the ends of processes, ask for; return whether a generation has begun to serve."""
        self._reap()
        has_begun = [child for child in list(self.children.values()) if self._promote(child)]
        for child in self.children.values():
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                child.kill_at = None
                os.kill(child.pid, signal.SIGKILL)
        if self.is_to_reload:
            self.reload()
        return bool(has_begun)

    def seconds_left(self) -> float | None:
        """Return the seconds until the time of a generation is up, or None."""
        times = [child.kill_at for child in self.children.values() if child.kill_at is not None]
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _promote(self, child: Child) -> bool:
        """Let a generation that has loaded serve, in the place of the others; return whether it begins to.

        Where nothing serves one worker is enough, else there must be all: one that cannot load would end it.
        """
        before = self._serving(child)
        settled = child.settled
        if child.is_draining or child.has_loaded or not (settled and (all if before else any)(settled)):
            return False
        if child.has_failed and any(not other.has_failed for other in before):
            child.drain()
            self._say_that_reloading_failed()
            return False
        child.generation.row.put(OfGeneration.STATE, State.READY)
        for other in before:
            other.drain()
        if before:
            logs.notice("the folder was loaded anew; what was loaded before finishes its calls")
        return True

    def _serving(self, child: Child | None = None) -> list[Child]:
        """Return the generations, beside one, that serve and are not on their way out."""
        every = self.children.values()
        return [other for other in every if other is not child and other.has_loaded and not other.is_draining]

    def _reap(self) -> None:
        for pid, code in processes.ended_children():
            # The first process of a container inherits what others left.
            if pid in self.children:
                child = self.children.pop(pid)
                had_loaded = child.has_loaded
                child.generation.clear()
                if not (child.is_draining or self.is_ending):
                    self._bury(child, code, had_loaded=had_loaded)

    def _bury(self, child: Child, code: int, *, had_loaded: bool) -> None:
        """Decide what the end of a generation that nobody asked to end means for the server."""
        if code == EXIT_UNSHARED:
            self.start(may_share=False)
        elif self._serving(child):
            if code < 0:
                _say_what_killed(code)
            self._say_that_reloading_failed()
        elif any(not other.is_draining for other in self.children.values()):
            logs.notice("what served has ended; what is being loaded takes its place")
        elif code >= 0:
            self.exit_code = code
        elif had_loaded:
            self._replace(child, code)
        else:
            _say_what_killed(code)
            self.exit_code = LoadError.exit_code

    def _replace(self, child: Child, code: int) -> None:
        """Start another generation for one whose master was killed, unless that does not help."""
        self.board.server.add(OfServer.LOST_GENERATIONS, 1)
        logs.notice(f"error: the process that watches the workers was killed by {processes.signal_name(-code)}")
        if time.monotonic() - child.started < SHORT_LIFE_SECONDS:
            self.exit_code = EXIT_FAILURE
        else:
            self.start(may_share=child.may_share)

    def _say_that_reloading_failed(self) -> None:
        self.board.server.add(OfServer.FAILED_RELOADS, 1)
        logs.notice("the folder could not be loaded anew; what was loaded before goes on serving")


def _say_what_killed(code: int) -> None:
    hint = ", perhaps because the memory was used up" if -code == signal.SIGKILL else ""
    words = f"The process that loads the folder was killed by {processes.signal_name(-code)}{hint}"
    logs.failure(LoadError(words), show_stacktrace=False)
