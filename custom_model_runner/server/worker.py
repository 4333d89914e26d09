"""A worker process: it explains why it cannot load, and answers broken requests in JSON."""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.http import errors as http_errors

from custom_model_runner import heap, logs, processes
from custom_model_runner.data.exchange import Watcher
from custom_model_runner.errors import EXIT_OK, RunnerError, TooSlow
from custom_model_runner.server import current, exchanges, failures, headers, incoming, raw_answers
from custom_model_runner.server.arbiter import END_SECONDS, Arbiter
from custom_model_runner.server.board import OfGeneration, OfWorker, Slot, State
from custom_model_runner.server.connections import PatientWorker

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from custom_model_runner.server.gunicorn import Application

LOG = logging.getLogger("drum.server")
# What a worker may still do when it is ended at once.
QUICK_END_SECONDS = 0.5
# A worker that has loaded looks so often whether its generation may serve.
SECONDS_BETWEEN_LOOKS = 0.005
# One that is to end looks so often whether its calls have, or its time is up.
SECONDS_TO_NOTICE = 0.1
# One that leaves connections to others looks so often whether they are still free.
SECONDS_TO_LEAVE = 0.01
BROKEN_REQUESTS = {
    http_errors.LimitRequestLine: (414, "URI Too Long"),
    http_errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    http_errors.UnsupportedTransferCoding: (501, "Not Implemented"),
    http_errors.ExpectationFailed: (417, "Expectation Failed"),
}


class Worker(PatientWorker):
    """gunicorn's worker with threads, which has a slot of the board."""

    app: Application
    slot: Slot
    born: float
    watchers: tuple[Watcher, ...] = ()
    abandoned: set[socket.socket]
    memory: heap.Heap
    _accepting: bool

    def init_process(self) -> None:
        """Load the model and serve it."""
        processes.end_with_parent(self.ppid)
        self.slot.put(OfWorker.PID, os.getpid())
        self.abandoned = set()
        self.memory = heap.opened(heap.SERVER)
        self.receive_seconds = self.app.launch.receive_seconds
        super().init_process()

    def init_signals(self) -> None:
        """Set the handlers; a terminal that hangs up is the supervisor's affair."""
        super().init_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def load_wsgi(self) -> None:
        """Load the model; the master ends with the failure's exit code, unless other workers serve."""
        start = time.perf_counter()
        try:
            self.wsgi = self._introduced(self.app.load_for(self))
        except RunnerError as error:
            if self.app.launch.seat.is_served:
                LOG.error("a worker could not load the folder, which is tried again; the others go on: %s", error)
                sys.exit(Arbiter.TRY_AGAIN)
            self.app.launch.fail(error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        self.slot.put(OfWorker.LOAD_MICROSECONDS, int((time.perf_counter() - start) * 1e6))
        if self.slot.state is State.LOADING:
            self.slot.put(OfWorker.STATE, State.READY)
        self.app.launch.seat.wake_supervisor()

    def _introduced(self, app: WSGIApplication) -> Any:
        """Return the application whose requests can close their connection, and let go of it."""

        def introduced(environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
            environ[current.CLOSE] = start_response.__self__.force_close
            environ[current.ABANDON] = self.abandon
            environ[current.RECEIVED] = self.note_received
            return app(environ, start_response)

        return introduced

    def abandon(self, client: socket.socket) -> None:
        """Let go of a connection while the call that it waited for still runs; any thread may ask for it."""
        self.method_queue.defer(self._abandon, client)

    def _abandon(self, client: socket.socket) -> None:
        self.abandoned.add(client)
        self.nr_conns -= 1
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Go on with a connection, or close it, when its request has been dealt with."""
        self.memory.note_use(time.monotonic())
        if conn.sock in self.abandoned:
            self.abandoned.remove(conn.sock)
            conn.close()
        else:
            super().finish_request(conn, fs)

    def retire(self) -> None:
        """Finish what runs and end, because a call is stuck; any thread may ask for it."""
        if not self.alive:
            return
        LOG.error("worker %s ends, because a call is still running long after its deadline", os.getpid())
        self.slot.put(OfWorker.LEAVING, OfGeneration.ENDED_STUCK)
        self.alive = False
        self.method_queue.defer(lambda: None)

    def run(self) -> None:
        """Serve when the generation may; a worker that still has calls at the end does not wait for them."""
        while not self.app.launch.seat.may_serve:
            if not (self.alive and self.is_parent_alive()):
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)
        self.app.launch.greet()
        super().run()
        if self.nr_conns > 0 or self.abandoned:
            self._end_at_once(END_SECONDS)

    def wait_for_and_dispatch_events(self, timeout: float | None) -> None:
        """Do what connections and threads ask for, or wait for it."""
        if not self.alive:
            timeout = SECONDS_TO_NOTICE
        elif self._leaves_to_others():
            self.set_accept_enabled(False)
            timeout = SECONDS_TO_LEAVE
        super().wait_for_and_dispatch_events(timeout)
        self.memory.tidy(time.monotonic())

    def accept(self, listener: Any) -> None:
        """Take a connection, unless it is better off with another worker."""
        if not self._leaves_to_others():
            super().accept(listener)

    def _leaves_to_others(self) -> bool:
        """Say whether another worker has a free slot, and this one has none."""
        if not self.slot.is_busy:
            return False
        every = self.app.launch.seat.generation.occupied
        return any(other.state is State.READY and not other.is_busy for other in every)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what runs; while the model is loaded there is nothing to finish."""
        self.slot.put(OfWorker.LEAVING, OfGeneration.ENDED_ON_PURPOSE)
        if not self.booted:
            os._exit(EXIT_OK)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once: a call that runs would keep its thread, and so this process, alive."""
        # A terminal and the master may both ask for it.
        for number in (signal.SIGQUIT, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self.slot.put(OfWorker.LEAVING, OfGeneration.ENDED_ON_PURPOSE)
        self._end_at_once(QUICK_END_SECONDS)

    def _end_at_once(self, seconds: float) -> None:
        """End though calls run, which keep their threads alive; those would keep the process."""
        if not self.slot.get(OfWorker.LEAVING):
            self.slot.put(OfWorker.LEAVING, OfGeneration.ENDED_ON_PURPOSE)
        self.app.launch.end(seconds)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_OK)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Begin or cease to take connections; those that wait when the worker is to end are taken first."""
        is_last = not (enabled or self.alive)
        if is_last and self._accepting:
            for listener in self.sockets:
                while self.nr_conns < self.worker_connections and select.select([listener], [], [], 0)[0]:
                    if not self.take(listener):
                        break
        super().set_accept_enabled(enabled)
        if is_last:
            self.slot.put(OfWorker.STATE, State.DRAINING)
            self.app.launch.seat.wake_supervisor()

    def handle(self, conn: Any) -> Any:
        """Serve what a connection has sent; what this thread logs afterwards is of another request, or of none."""
        try:
            return super().handle(conn)
        finally:
            logs.CONTEXT.set(None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; a client that does not take its answer in time counts as gone."""
        try:
            return super().handle_request(req, conn)
        except TimeoutError as error:
            with suppress(OSError):
                # Else its connection would be closed with patience, by the thread that all others need.
                conn.sock.shutdown(socket.SHUT_RDWR)
            raise BrokenPipeError(errno.EPIPE, "the client does not read") from error
        finally:
            if _declared_bytes(req) >= heap.LARGE:
                self.memory.trim()

    def refuse_slow(self, client: socket.socket) -> None:
        """Answer a request that has not come in time."""
        response = failures.answer(f"ERROR: {incoming.TOO_SLOW}", TooSlow.status)
        exchanges.broken(self.watchers, TooSlow.status, TooSlow.__name__, seconds=self.receive_seconds)
        raw_answers.send(client, response, headers.new_request_id())

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is not HTTP, and what the application let out, and end the connection."""
        if isinstance(exc, http_errors.ParseException):
            status, reason = BROKEN_REQUESTS.get(type(exc), (400, "Bad Request"))
            response = failures.answer(f"ERROR: {reason}: the request is not valid HTTP", status)
            response.status = f"{status} {reason}"
            exchanges.broken(self.watchers, status)
        else:
            launch = self.app.launch
            response = failures.last_resort(exc, show_stacktrace=launch.show_stacktrace)
            response = failures.scrubbed(response, launch.clean)
        raw_answers.send(client, response, _request_id(req))


def _declared_bytes(request: Any) -> int:
    return next((int(value) for name, value in request.headers if name == "CONTENT-LENGTH"), 0)


def _request_id(request: Any) -> str:
    """Return the id of a request that gunicorn has read, or a new one; a broken request may be None."""
    named = dict(request.headers).get("X-REQUEST-ID") if request else None
    return named or headers.new_request_id()
