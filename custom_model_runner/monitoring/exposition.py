"""The metrics of all processes of a server as Prometheus reads them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from custom_model_runner import __version__, border
from custom_model_runner.errors import RunnerError
from custom_model_runner.monitoring.facts import Facts

# Prometheus' own text format.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(directory: Path, facts: Facts) -> bytes:
    """Return what the workers have counted into files in a folder, and the state of the server."""
    registry = CollectorRegistry()
    registry.register(_State(facts))
    MultiProcessCollector(registry, str(directory))  # type: ignore[no-untyped-call]
    # Code of the folder may keep files of its own among them, and a worker may be making one at this moment.
    failing = "The counters of the workers cannot be read. Exception:"
    text: bytes = border.call(generate_latest, registry, failing=failing, as_error=RunnerError)
    return text


class _State(Collector):
    """The state of a server as metrics."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield _labelled(
            GaugeMetricFamily("drum_build_info", "Versions of the runner and of Python.", labels=("version", "python")),
            {(__version__, platform.python_version()): 1},
        )
        yield _gauge("drum_ready", "Whether requests are welcome, as /readyz says.", int(facts.is_ready))
        yield _gauge("drum_calls_in_flight", "Calls that are inside the model.", facts.calls_in_flight)
        yield _gauge("drum_calls_waiting", "Calls that wait for their turn.", facts.calls_waiting)
        yield _gauge(
            "drum_calls_limit", "Calls that may be in the model or wait, in workers that serve.", facts.calls_limit
        )
        yield _gauge("drum_calls_overdue", "Calls that run on after their request was refused.", facts.calls_overdue)
        if facts.load_seconds is not None:
            yield _gauge("drum_model_load_seconds", "Longest time that a worker loaded.", facts.load_seconds)
        workers = GaugeMetricFamily("drum_workers", "Worker processes by state.", labels=("state",))
        yield _labelled(workers, {(state,): number for state, number in facts.workers.items()})
        restarts = CounterMetricFamily("drum_worker_restarts", "Workers that ended, by reason.", labels=("reason",))
        yield _labelled(restarts, {(reason,): number for reason, number in facts.worker_restarts.items()})
        yield _counter("drum_reloads", "Times that the folder was to be loaded anew (SIGHUP).", facts.reloads)
        yield _counter("drum_failed_reloads", "Times that it could not be loaded anew.", facts.failed_reloads)
        lost = "Processes that watch over workers and were killed."
        yield _counter("drum_lost_generations", lost, facts.lost_generations)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(
    family: GaugeMetricFamily | CounterMetricFamily, values: dict[tuple[str, ...], int]
) -> GaugeMetricFamily | CounterMetricFamily:
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
