"""gunicorn, run in this process: one master, workers that each load the model."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn import arbiter, glogging, util
from gunicorn.app.base import BaseApplication
from gunicorn.errors import HaltServer
from gunicorn.http import errors as http_errors
from gunicorn.workers import gthread

from custom_model_runner import logs
from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK, LoadError, RunnerError, UsageError
from custom_model_runner.server import failures, headers

QUICK_STOP_SECONDS = 1
# What a worker may still do in the time that it has: some of the above, and some of what calls have to finish.
QUICK_END_SECONDS = 0.5
END_SECONDS = 3.0
BACKLOG = 2048
BROKEN_REQUESTS = {
    http_errors.LimitRequestLine: (414, "URI Too Long"),
    http_errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    http_errors.UnsupportedTransferCoding: (501, "Not Implemented"),
    http_errors.ExpectationFailed: (417, "Expectation Failed"),
}


@dataclass(frozen=True)
class SharedNumber:
    """A number that forked processes share; it starts at zero and keeps the first value it is given."""

    cell: Synchronized[int]

    def offer(self, value: int) -> bool:
        """Set the number unless it is set, and say whether this was the first time."""
        with self.cell.get_lock():
            is_first = self.cell.value == 0
            if is_first:
                self.cell.value = value
        return is_first


def shared_number() -> SharedNumber:
    """Make a number; call it before workers are forked."""
    return SharedNumber(multiprocessing.Value("i", 0))


@dataclass(frozen=True)
class Launch:
    """How workers get their application and end, and what they tell the master: that one serves, that one failed.

    `end` is given the seconds that its last work may take; `clean` keeps secrets out of a text.
    """

    make_app: Callable[[], Flask]
    end: Callable[[float], None]
    greeting: str
    show_stacktrace: bool
    has_greeted: SharedNumber
    exit_code: SharedNumber
    clean: Callable[[str], str] = str

    def greet(self) -> None:
        """Say once that the model is served."""
        if self.has_greeted.offer(1):
            logs.notice(self.greeting)

    def fail(self, error: RunnerError) -> None:
        """Say once why the model cannot be loaded."""
        if self.exit_code.offer(error.exit_code):
            logs.failure(error, show_stacktrace=self.show_stacktrace)


class Arbiter(arbiter.Arbiter):
    """The master; a quick stop does not wait for calls that run."""

    # A worker that ends with one of these ends the server; user code may well exit with gunicorn's own 3 and 4.
    WORKER_BOOT_ERROR = 250
    APP_LOAD_ERROR = 251

    def stop(self, graceful: bool = True) -> None:
        """End the workers."""
        if not graceful:
            self.cfg.set("graceful_timeout", QUICK_STOP_SECONDS)
        super().stop(graceful)

    def reap_workers(self) -> None:
        """Collect the workers that ended; why they ended no longer matters when the server is ending."""
        try:
            super().reap_workers()
        except HaltServer:
            if not self._is_stopping:
                raise

    @property
    def _is_stopping(self) -> bool:
        return not self.LISTENERS

    def end_hopeless(self, launch: Launch) -> None:
        """End when a worker died before any could load: the next one would die as well."""
        if launch.has_greeted.cell.value or self._is_stopping:
            return
        launch.fail(LoadError("A worker process died while it loaded the folder"))
        raise HaltServer("A worker died while it loaded.", self.APP_LOAD_ERROR)


class Worker(gthread.ThreadWorker):
    """A worker that explains why it cannot load, and answers broken requests in JSON."""

    app: _Application

    def load_wsgi(self) -> None:
        """Load the model; the master ends with the failure's exit code."""
        try:
            super().load_wsgi()
        except RunnerError as error:
            # Told to stop meanwhile: the failure interests nobody.
            if not self.alive:
                sys.exit(EXIT_OK)
            self.app.launch.fail(error)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        self.app.launch.greet()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once: a call that runs would keep its thread, and so this process, alive."""
        self.app.launch.end(QUICK_END_SECONDS)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_OK)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is not HTTP, and what the application let out, and end the connection."""
        if isinstance(exc, http_errors.ParseException):
            status, reason = BROKEN_REQUESTS.get(type(exc), (400, "Bad Request"))
            response = failures.answer(f"ERROR: {reason}: the request is not valid HTTP", status)
            response.status = f"{status} {reason}"
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


class Logger(glogging.Logger):
    """gunicorn's own words, at the runner's level and in its format."""

    def setup(self, cfg: Any) -> None:
        """Take over the handlers of the runner's logger."""
        super().setup(cfg)
        ours = logging.getLogger(logs.ROOT)
        self.error_log.handlers[:] = ours.handlers
        self.error_log.setLevel(ours.level)


class _Application(BaseApplication):
    """gunicorn's view of what is served, and the options it runs with."""

    def __init__(self, launch: Launch, options: Mapping[str, Any]) -> None:
        self.launch = launch
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return headers.dress(failures.contain(self.launch.make_app()))


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; an address that cannot be had is a usage error."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port}: {error.strerror or error}") from error


def serve(
    listener: socket.socket,
    make_app: Callable[[], Flask],
    *,
    end: Callable[[float], None],
    greeting: str,
    workers: int,
    threads: int,
    show_stacktrace: bool,
    clean: Callable[[str], str],
) -> int:
    """Serve until a signal ends it, and return the exit code: 0, or that of the failure to load."""
    exit_code = shared_number()
    launch = Launch(make_app, end, greeting, show_stacktrace, shared_number(), exit_code, clean)
    # What gunicorn says when a worker could not load has been said better.
    logging.getLogger("gunicorn.error").addFilter(lambda _: exit_code.cell.value == 0)
    master = os.getpid()
    try:
        Arbiter(_Application(launch, _options(listener, launch, workers=workers, threads=threads))).run()
    except SystemExit as ending:
        # Workers are forked inside `run`, and their codes are for the master to read.
        if os.getpid() != master:
            raise
        return exit_code.cell.value or (EXIT_FAILURE if ending.code else EXIT_OK)
    return EXIT_OK


def _options(listener: socket.socket, launch: Launch, *, workers: int, threads: int) -> dict[str, Any]:
    return {
        "bind": f"fd://{listener.detach()}",
        "workers": workers,
        "threads": threads,
        "worker_class": Worker,
        "logger_class": Logger,
        "control_socket_disable": True,
        "graceful_timeout": 25,
        "keepalive": 65,
        # A long call is not a dead worker.
        "timeout": 0,
        "proc_name": "drum",
        "worker_exit": lambda _arbiter, _worker: launch.end(END_SECONDS),
        "child_exit": lambda arbiter, _worker: arbiter.end_hopeless(launch),
    }
