"""gunicorn, run in this process as a generation: one master and its workers."""

from __future__ import annotations

import logging
import os
import resource
import ssl
from collections.abc import Mapping
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from custom_model_runner import logs
from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK
from custom_model_runner.server import exchanges, extension, failures, refusals
from custom_model_runner.server.arbiter import END_SECONDS, Arbiter
from custom_model_runner.server.board import OfGeneration, OfWorker
from custom_model_runner.server.launch import Launch
from custom_model_runner.server.worker import Worker
from custom_model_runner.settings import ServerSettings

# Beyond those that each thread answers: full queues leave room for those who are refused, and for some to stay open.
IDLE_CONNECTIONS = 100
# What a worker may open besides connections: its log and counters, and the files of user code.
OTHER_FILES = 200


class Logger(glogging.Logger):
    """gunicorn's own words, in the runner's format, and at its level unless they have one of their own."""

    def setup(self, cfg: Any) -> None:
        """Take over the handlers of the runner's logger."""
        super().setup(cfg)
        ours = logging.getLogger(logs.ROOT)
        self.error_log.handlers[:] = ours.handlers
        if not cfg.loglevel:
            self.error_log.setLevel(ours.level)


class Application(BaseApplication):
    """gunicorn's view of what is served, and the options it runs with."""

    def __init__(self, launch: Launch, options: Mapping[str, Any]) -> None:
        self.launch = launch
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load_for(self, worker: Worker) -> Any:
        """Return the application of a worker."""
        app = self.launch.make_app(worker.slot)
        worker.watchers = app.extensions[exchanges.WATCHERS]
        if refusals.WATCHMAN in app.extensions:
            app.extensions[refusals.WATCHMAN].retire = worker.retire
        contained = failures.contain(app, is_extended=extension.MODULE in app.extensions)
        return exchanges.dress(contained, worker.watchers)


def serve(launch: Launch, server: ServerSettings, *, threads: int, tls: ssl.SSLContext | None = None) -> int:
    """Serve until a signal ends it, and return the exit code: 0, or that of the failure to load."""
    generation = launch.seat.generation
    generation.row.put(OfGeneration.WORKERS, server.max_workers)
    generation.row.put(OfGeneration.GRACE_MILLISECONDS, server.graceful_timeout * 1000)
    # What gunicorn says when a worker could not load has been said better.
    logging.getLogger("gunicorn.error").addFilter(lambda _: launch.exit_code.cell.value == 0)
    master = os.getpid()
    try:
        Arbiter(Application(launch, {**_options(launch, server, threads=threads), **_encryption(server, tls)})).run()
    except SystemExit as ending:
        # Workers are forked inside `run`, and their codes are for the master to read.
        if os.getpid() != master:
            raise
        return launch.exit_code.cell.value or (EXIT_FAILURE if ending.code else EXIT_OK)
    return EXIT_OK


def most_connections(wanted: int) -> int:
    """Return how many connections a worker may hold, and let it open files for them as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted + OTHER_FILES:
        return wanted
    soft = wanted + OTHER_FILES if hard == resource.RLIM_INFINITY else min(wanted + OTHER_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(wanted, max(soft - OTHER_FILES, soft // 2))


def _options(launch: Launch, server: ServerSettings, *, threads: int) -> dict[str, Any]:
    # The first process listens before it knows values that are brought from outside.
    launch.seat.listener.listen(server.backlog)
    return {
        "bind": f"fd://{launch.seat.listener.detach()}",
        "workers": server.max_workers,
        "threads": threads,
        "worker_class": Worker,
        "logger_class": Logger,
        "control_socket_disable": True,
        "graceful_timeout": server.graceful_timeout,
        "keepalive": server.keep_alive,
        "worker_connections": most_connections(max(server.worker_connections, threads + IDLE_CONNECTIONS)),
        "loglevel": server.gunicorn_log_level or "",
        "max_requests": server.max_requests,
        "max_requests_jitter": server.max_requests_jitter,
        # A long call is not a dead worker.
        "timeout": 0,
        "proc_name": "drum",
        "pre_fork": lambda arbiter, worker: arbiter.assign(worker),
        "worker_exit": lambda _arbiter, worker: _leave(launch, worker),
    }


def _encryption(server: ServerSettings, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Return the options of connections that are encrypted; gunicorn would read the files for each anew."""
    if tls is None:
        return {}
    return {"certfile": str(server.certfile), "ssl_context": lambda _config, _make: tls}


def _leave(launch: Launch, worker: Worker) -> None:
    """Do the last work of a worker that ends by itself."""
    if not worker.slot.get(OfWorker.LEAVING):
        worker.slot.put(OfWorker.LEAVING, OfGeneration.ENDED_ON_PURPOSE)
    launch.end(END_SECONDS)
