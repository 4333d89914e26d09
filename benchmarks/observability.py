"""What metrics, logs and timing cost: the same application, in one process, with and without them in turn."""

from __future__ import annotations

import gc
import io
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from prometheus_client import values

from benchmarks.samples import Sample
from custom_model_runner import load, logs
from custom_model_runner.data.exchange import Exchange, Watcher
from custom_model_runner.data.stages import Stages
from custom_model_runner.monitoring.metrics import open_metrics
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import app, current, exchanges, failures
from custom_model_runner.settings import METRICS_DIRECTORY, ServerSettings

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

OFF, ON = "off", "on"
PATH = "/predict/"
REQUESTS = 300


class _Untimed(Stages):
    """Stages that nobody measures."""

    def end(self, name: str) -> None:
        """Do nothing."""


def measure(folder: Path, body: bytes, place: Path, *, rounds: int) -> Iterator[Sample]:
    """Yield the rounds of a regression model: so many requests unobserved and observed, in an order that changes."""
    place.mkdir()
    with (
        mock.patch.dict(os.environ, {METRICS_DIRECTORY: str(place)}),
        mock.patch.object(values, "ValueClass", values.ValueClass),
        load(folder, target_type="regression") as predictor,
    ):
        yield from _rounds(predictor, body, rounds)
    # Requests were served in this thread, which is not a server's.
    logs.CONTEXT.set(None)
    with warnings.catch_warnings():
        # The library closes its files by forgetting them.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _rounds(predictor: Predictor, body: bytes, rounds: int) -> Iterator[Sample]:
    metrics = open_metrics(0)
    watchers = (Watcher(metrics.count),)
    seen = app.create_app(replace(predictor, observers=(metrics.observe,)), ServerSettings(), watchers=watchers)
    unseen = app.create_app(predictor, ServerSettings())
    contained = [failures.contain(app, is_extended=False) for app in (unseen, seen)]
    servers = {OFF: _untimed(contained[0]), ON: exchanges.dress(contained[1], watchers)}
    for number in range(1, rounds + 1):
        for name in (OFF, ON) if number % 2 else (ON, OFF):
            figures = {"cpu_seconds_per_request": _cpu_seconds(partial(_send, servers[name], body))}
            yield Sample("observability", "1 row", name, number, figures)


def _cpu_seconds(send: Callable[[], object]) -> float:
    send()
    cpu = time.process_time()
    for _ in range(REQUESTS):
        send()
    return (time.process_time() - cpu) / REQUESTS


def _untimed(served: WSGIApplication) -> WSGIApplication:
    """Return the application as it would be served by a runner that observes nothing."""

    def bare(environ: WSGIEnvironment, start_response: Any) -> Any:
        request_id = "0"
        environ[current.REQUEST_ID] = request_id
        environ[current.EXCHANGE] = Exchange("POST", PATH, request_id, environ, _Untimed())
        return served(environ, start_response)

    return bare


def _send(served: WSGIApplication, body: bytes) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "text/csv",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_REQUEST_ID": "0",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    seen: list[str] = []
    answer = served(environ, lambda status, headers, exc_info=None: seen.append(status) or seen.append)  # type: ignore[func-returns-value,arg-type]
    b"".join(answer)
    if seen != ["200 OK"]:
        raise RuntimeError(f"the application answered {seen}")
