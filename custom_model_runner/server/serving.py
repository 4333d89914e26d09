"""A folder served: its model loaded in each worker, its failure to load explained."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from custom_model_runner import logs
from custom_model_runner.errors import BaseCustomUserError, RunnerError
from custom_model_runner.monitoring.timings import Timings, open_timings
from custom_model_runner.predictor import open_predictor
from custom_model_runner.server import app, gunicorn
from custom_model_runner.settings import LogSettings, ModelSettings, ServerSettings

# Threads beyond those that may call the model: probes are answered while calls run.
SPARE_THREADS = 7


def serve(model: ModelSettings, server: ServerSettings, log: LogSettings) -> int:
    """Serve the folder until a signal ends it; return the exit code."""
    host, port = server.address
    listener = gunicorn.listen(host, port)
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    timings = open_timings() if server.show_perf else None
    has_told = gunicorn.shared_number()

    def tell(text: str) -> None:
        if has_told.offer(1):
            logs.notice(text)

    def make_app() -> Flask:
        try:
            return _loaded_app(model, server, log, timings, tell)
        except (RunnerError, BaseCustomUserError) as error:
            if not server.with_error_server:
                raise
            if has_told.offer(1):
                logs.failure(error, show_stacktrace=log.show_stacktrace)
            return app.create_error_app(error, server)

    return gunicorn.serve(
        listener,
        make_app,
        greeting=f"serving {model.code_dir} on http://{shown}:{port}{server.url_prefix}",
        workers=server.max_workers,
        threads=(server.threads or 1) + SPARE_THREADS,
        show_stacktrace=log.show_stacktrace,
    )


def _loaded_app(
    model: ModelSettings, server: ServerSettings, log: LogSettings, timings: Timings | None, tell: Callable[[str], None]
) -> Flask:
    observers = (timings.observe,) if timings else ()
    predictor = open_predictor(model, observers=observers, threads=server.threads, tell=tell)
    return app.create_app(predictor, server, timings=timings, show_stacktrace=log.show_stacktrace)
