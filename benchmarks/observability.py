"""What metrics, logs and timing cost: the same application, in one process, with and without them in turn."""

from __future__ import annotations

import gc
import io
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

OFF, ON, LOGGED = "off", "on", "on, a JSON line each"
PATH = "/predict/"
MOST_REQUESTS = 300


class _Untimed(Stages):
    """Stages that nobody measures."""

    def end(self, name: str) -> None:
        """Do nothing."""


def measure(folder: Path, body: bytes, place: Path, *, rounds: int, requests: int) -> Iterator[Sample]:
    """Yield the rounds of a regression model: requests unobserved and observed, in an order that changes."""
    place.mkdir()
    with (
        mock.patch.dict(os.environ, {METRICS_DIRECTORY: str(place)}),
        mock.patch.object(values, "ValueClass", values.ValueClass),
        load(folder, target_type="regression") as predictor,
    ):
        yield from _rounds(predictor, body, rounds, min(requests, MOST_REQUESTS))
    # Requests were served in this thread, which is not a server's.
    logs.CONTEXT.set(None)
    with warnings.catch_warnings():
        # The library closes its files by forgetting them.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _rounds(predictor: Predictor, body: bytes, rounds: int, requests: int) -> Iterator[Sample]:
    metrics = open_metrics(0)
    watchers = (Watcher(metrics.count),)
    seen = app.create_app(replace(predictor, observers=(metrics.observe,)), ServerSettings(), watchers=watchers)
    unseen = app.create_app(predictor, ServerSettings())
    observed = exchanges.dress(failures.contain(seen, is_extended=False), watchers)
    servers = {OFF: _untimed(failures.contain(unseen, is_extended=False)), ON: observed, LOGGED: observed}
    for number in range(1, rounds + 1):
        for name in _turned(list(servers), number):
            with _lines(logging.INFO if name == LOGGED else logging.WARNING):
                seconds = _cpu_seconds(partial(_send, servers[name], body), requests)
            yield Sample("observability", "1 row", name, number, {"cpu_seconds_per_request": seconds})


def _turned(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


@contextmanager
def _lines(level: int) -> Iterator[None]:
    """Write the log at this level and above as JSON, to where nobody reads it."""
    logger = logging.getLogger(logs.ROOT)
    before = logger.level, logger.handlers[:], logger.propagate
    with Path(os.devnull).open("w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(logs.FORMATS["json"])
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(level)
        try:
            yield
        finally:
            was, logger.handlers[:], logger.propagate = before
            logger.setLevel(was)


def _cpu_seconds(send: Callable[[], object], requests: int) -> float:
    send()
    cpu = time.process_time()
    for _ in range(requests):
        send()
    return (time.process_time() - cpu) / requests


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
