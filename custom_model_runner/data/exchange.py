"""One request and its answer, while they happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_model_runner.data import trace_context
from custom_model_runner.data.stages import Stages

# The route of what no route is for.
UNMATCHED = "unmatched"


@dataclass(slots=True)
class Exchange:
    """What is known of a request so far.

    `route` is the rule that answers it, without prefix and last slash, `status` that of the answer and `failure` the
    class of the error; `trace` are the ids of the trace and of the span that stands for it, as hexadecimal digits.
    `span` belongs to whoever makes spans, `watch` to whoever refuses it when its time is over; `attributes` are those
    that a route gives it.
    """

    method: str
    path: str
    request_id: str
    headers: Mapping[str, str]
    stages: Stages = field(default_factory=Stages)
    route: str = UNMATCHED
    status: int = 0
    failure: str | None = None
    seconds: float = 0.0
    trace: tuple[str, str] | None = None
    span: Any = None
    watch: Any = None
    attributes: dict[str, str] = field(default_factory=dict)

    def context(self) -> dict[str, str]:
        """Return what a log line tells of the request."""
        facts = {"request_id": self.request_id}
        trace = self.trace or trace_context.read(self.headers.get("HTTP_TRACEPARENT", ""))
        return {**facts, "trace_id": trace[0], "span_id": trace[1]} if trace else facts


@dataclass(frozen=True)
class Watcher:
    """Somebody who wants to know of requests: when the route of one is known, and when its answer is.

    Both are called in the thread of the request, on its critical path.
    """

    end: Callable[[Exchange], None]
    begin: Callable[[Exchange], None] | None = None
