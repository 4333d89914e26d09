"""What a worker tells its operators of requests: counters, and spans where they are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from custom_model_runner import logs, plugins
from custom_model_runner.data.exchange import Watcher
from custom_model_runner.data.observation import Observer
from custom_model_runner.errors import LoadError
from custom_model_runner.monitoring.exposition import exposition
from custom_model_runner.monitoring.metrics import open_metrics
from custom_model_runner.server.board import Board, Slot
from custom_model_runner.server.facts import facts_of
from custom_model_runner.settings import ServerSettings


@dataclass(frozen=True)
class Telemetry:
    """Who is told of requests and of calls, and what writes the metrics of all workers.

    `close` sends what is left to send, in about so many seconds.
    """

    watchers: tuple[Watcher, ...] = ()
    observers: tuple[Observer, ...] = ()
    expose: Callable[[], bytes] = bytes
    close: Callable[[float], None] = lambda seconds: None


def find_tracing(settings: ServerSettings) -> Any:
    """Return the module that sends spans, or None where none are wanted or its library is missing, which is told."""
    if not settings.sends_spans:
        return None
    try:
        return plugins.find(plugins.ENTRIES["tracing"])
    except LoadError as error:
        # Clusters set the variable for everybody.
        logs.notice(f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but no spans will be sent: {error}")
        return None


def open_telemetry(settings: ServerSettings, board: Board, slot: Slot, *, tracing: Any, service: str) -> Telemetry:
    """Begin to count, and to send spans; call it in the worker that has the slot, before user code is imported."""
    if settings.metrics_directory is None:
        return Telemetry()
    metrics = open_metrics(slot.number)
    expose = partial(_expose, settings.metrics_directory, board)
    told = Telemetry((Watcher(metrics.count),), (metrics.observe,), expose)
    if tracing is None:
        return told
    opened = tracing.open_tracing(service)
    return Telemetry((opened.watcher, *told.watchers), told.observers, expose, opened.close)


def _expose(directory: Path, board: Board) -> bytes:
    return exposition(directory, facts_of(board))
