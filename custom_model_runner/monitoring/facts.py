"""What a server knows of its own processes when its metrics are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Facts:
    """The state of a server: numbers of calls and of processes, and counts since its first process was started.

    `calls_limit` is how many calls may be in flight or wait in the workers that are ready, `calls_overdue` how many of
    those in flight had their request refused because its time was over. `load_seconds` is the longest time in which a
    worker that serves, or the master that loaded for all, has loaded.
    """

    is_ready: bool = False
    calls_in_flight: int = 0
    calls_waiting: int = 0
    calls_limit: int = 0
    calls_overdue: int = 0
    load_seconds: float | None = None
    workers: Mapping[str, int] = field(default_factory=dict)
    worker_restarts: Mapping[str, int] = field(default_factory=dict)
    reloads: int = 0
    failed_reloads: int = 0
    lost_generations: int = 0
