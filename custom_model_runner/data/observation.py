"""What happened in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Observation:
    """One call: how many rows, how many seconds, and the error class's name or None where it went well."""

    rows: int
    seconds: float
    failure: str | None


Observer = Callable[[Observation], None]
