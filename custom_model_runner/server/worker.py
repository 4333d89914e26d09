"""A worker process: it explains why it cannot load, and answers broken requests in JSON."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.http import errors as http_errors
from gunicorn.workers import gthread

from custom_model_runner import logs
from custom_model_runner.data.exchange import Watcher
from custom_model_runner.errors import EXIT_OK, RunnerError
from custom_model_runner.server import exchanges, failures, headers, processes
from custom_model_runner.server.arbiter import Arbiter
from custom_model_runner.server.board import OfGeneration, OfWorker, Slot, State

if TYPE_CHECKING:
    from custom_model_runner.server.gunicorn import Application

# What a worker may still do when it is ended at once.
QUICK_END_SECONDS = 0.5
BROKEN_REQUESTS = {
    http_errors.LimitRequestLine: (414, "URI Too Long"),
    http_errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    http_errors.UnsupportedTransferCoding: (501, "Not Implemented"),
    http_errors.ExpectationFailed: (417, "Expectation Failed"),
}


class Worker(gthread.ThreadWorker):
    """gunicorn's worker with threads, which has a slot of the board."""

    app: Application
    slot: Slot
    born: float
    watchers: tuple[Watcher, ...] = ()
    _accepting: bool

    def init_process(self) -> None:
        """Load the model and serve it."""
        processes.end_with_parent(self.ppid)
        self.slot.put(OfWorker.PID, os.getpid())
        super().init_process()

    def init_signals(self) -> None:
        """Set the handlers; a terminal that hangs up is the supervisor's affair."""
        super().init_signals()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def load_wsgi(self) -> None:
        """Load the model; the master ends with the failure's exit code."""
        start = time.perf_counter()
        try:
            self.wsgi = self.app.load_for(self)
        except RunnerError as error:
            self.app.launch.fail(error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        self.slot.put(OfWorker.LOAD_MICROSECONDS, int((time.perf_counter() - start) * 1e6))
        if self.slot.state is State.LOADING:
            self.slot.put(OfWorker.STATE, State.READY)
        self.app.launch.greet()
        self.app.launch.seat.wake_supervisor()

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
        self.app.launch.end(QUICK_END_SECONDS)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_OK)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Begin or cease to take connections; those that wait when the worker is to end are taken first."""
        is_last = not (enabled or self.alive)
        if is_last and self._accepting:
            for listener in self.sockets:
                while self.nr_conns < self.worker_connections and select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
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
        lines = [("Connection", "close"), *response.headers, *headers.common(_request_id(req))]
        head = [f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in lines)]
        try:
            util.write_nonblock(client, "\r\n".join([*head, "", ""]).encode("latin-1") + response.get_data())
        except OSError:
            self.log.debug("The sender of a broken request is gone.")


def _request_id(request: Any) -> str:
    """Return the id of a request that gunicorn has read, or a new one; a broken request may be None."""
    named = dict(request.headers).get("X-REQUEST-ID") if request else None
    return named or headers.new_request_id()
