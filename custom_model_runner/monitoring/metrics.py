"""What a worker counts of its requests, in files that outlive it, so that its successor goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, values

from custom_model_runner.data.exchange import Exchange
from custom_model_runner.data.observation import Observation
from custom_model_runner.errors import Overloaded, TimedOut, TooSlow

# Seconds; small models answer in a millisecond, large language models in minutes.
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
STAGE_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120)
# They come in bursts, whose first is an increase only to who has seen that there were none.
REFUSALS = (Overloaded, TimedOut, TooSlow)


@dataclass(frozen=True)
class Metrics:
    """The counters of a worker; `counters` keeps those that were found by their labels."""

    requests: Counter
    durations: Histogram
    stages: Histogram
    rows: Counter
    errors: Counter
    counters: dict[tuple[str, str | int], Callable[..., Any]] = field(default_factory=dict)

    def count(self, exchange: Exchange) -> None:
        """Count a request that has been answered."""
        found, route, status = self.counters, exchange.route, exchange.status
        (found.get((route, status)) or self._request_counter(route, status))()
        (found.get(("", route)) or self._keep(("", route), self.durations.labels(route).observe))(exchange.seconds)
        for stage, seconds in exchange.stages.seconds().items():
            (found.get(("stage", stage)) or self._keep(("stage", stage), self.stages.labels(stage).observe))(seconds)
        if exchange.failure is not None:
            self.errors.labels(exchange.failure).inc()

    def observe(self, observation: Observation) -> None:
        """Count the rows of a call that went well."""
        if observation.failure is None:
            self.rows.inc(observation.rows)

    def _request_counter(self, route: str, status: int) -> Callable[..., Any]:
        return self._keep((route, status), self.requests.labels(route, str(status)).inc)

    def _keep(self, key: tuple[str, str | int], counter: Callable[..., Any]) -> Callable[..., Any]:
        self.counters[key] = counter
        return counter


def open_metrics(slot: int) -> Metrics:
    """Open the counters of the worker that has a slot, in the folder that PROMETHEUS_MULTIPROC_DIR names.

    What user code counts with the same library, if it is imported later, is kept by slot too, and exposed as well.
    """
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    opened = Metrics(
        Counter("drum_requests", "Requests that were answered.", ("route", "status"), registry=registry),
        Histogram(
            "drum_request_duration_seconds",
            "Time from when a request, or 64 KiB of it, had come to the head of its answer, or the end of a stream.",
            ("route",),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        ),
        Histogram(
            "drum_stage_duration_seconds",
            "Time that the stages of predictions took.",
            ("stage",),
            buckets=STAGE_BUCKETS,
            registry=registry,
        ),
        Counter("drum_rows", "Rows that were predicted or transformed.", registry=registry),
        Counter("drum_errors", "Requests that were answered with an error.", ("error",), registry=registry),
    )
    for error in REFUSALS:
        opened.errors.labels(error.__name__)
    return opened
