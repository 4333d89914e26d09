"""A folder served: its model loaded in each worker, its failure to load explained."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from flask import Flask

from custom_model_runner import border, logs
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.errors import LoadError, RunnerError
from custom_model_runner.monitoring import reporting
from custom_model_runner.monitoring.timings import Timings, open_timings
from custom_model_runner.predictor import Predictor, open_predictor
from custom_model_runner.server import app, extension, failures, gunicorn
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ServerSettings

# Threads beyond those that may call the model: so many calls can wait before a probe has to wait too.
SPARE_THREADS = 7
STANDARD_OUTPUT = 1


def serve(
    model: ModelSettings, delivered: Delivered, server: ServerSettings, monitor: MonitorSettings, log: LogSettings
) -> int:
    """Serve the folder until a signal ends it; return the exit code."""
    plan = reporting.plan(monitor, stdout=STANDARD_OUTPUT)
    listener, place = _listen(server)
    timings = open_timings() if server.show_perf else None
    has_told, has_failed = gunicorn.shared_number(), gunicorn.shared_number()
    clean = delivered.scrubber()
    # Filled by each worker for itself.
    last_steps: list[Callable[[float], None]] = []

    def tell(*texts: str) -> None:
        if has_told.offer(1):
            logs.notice(*texts)

    failure = _fetch(delivered, server)

    def load() -> Flask:
        if failure is not None:
            raise failure
        observers = (timings.observe,) if timings else ()
        predictor = open_predictor(model, observers=observers, threads=server.threads, tell=tell)
        reports = reporting.open_reports(plan, predictor.info.target.type)
        last_steps.append(reports.close)
        predictor = replace(predictor, reporter=reports.structured, mlops=reports.embedded)
        return _application(predictor, server, log, timings)

    def load_or_explain() -> Flask:
        try:
            failing = "The folder cannot be loaded. Exception:"
            loaded: Flask = border.call(load, failing=failing, as_error=LoadError)
        except RunnerError as error:
            if not server.with_error_server:
                raise
            if has_failed.offer(1):
                logs.failure(error, show_stacktrace=log.show_stacktrace)
            return app.create_error_app(error, server)
        return loaded

    def make_app() -> Flask:
        made = load_or_explain()
        if delivered.secrets:
            failures.scrub(made, clean)
        return made

    def end(seconds: float) -> None:
        for step in last_steps:
            step(seconds)

    return gunicorn.serve(
        listener,
        make_app,
        end=end,
        greeting=f"serving {model.code_dir} on http://{place}{server.url_prefix}",
        workers=server.max_workers,
        threads=(server.threads or 1) + SPARE_THREADS,
        show_stacktrace=log.show_stacktrace,
        clean=clean,
    )


def _listen(server: ServerSettings) -> tuple[socket.socket, str]:
    """Open the listening socket and return it with the address that clients use."""
    host, port = server.address
    listener = gunicorn.listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    return listener, f"{shown}:{listener.getsockname()[1]}"


def _application(predictor: Predictor, server: ServerSettings, log: LogSettings, timings: Timings | None) -> Flask:
    """Return the application for a model, extended by its folder; all of it lives as long as this process."""
    with ExitStack() as stack:
        stack.callback(predictor.close)
        served = app.create_app(predictor, server, timings=timings, show_stacktrace=log.show_stacktrace)
        extension.install(served, predictor.info.codedir.path)
        stack.pop_all()
        return served


def _fetch(delivered: Delivered, server: ServerSettings) -> RunnerError | None:
    """Fetch the folder's files, once for all workers; return the failure that the error server is to explain."""
    try:
        delivered.fetch()
    except RunnerError as error:
        if not server.with_error_server:
            raise
        return error
    return None
