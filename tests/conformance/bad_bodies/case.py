"""What a bad body is, and the model that it is sent to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Lists of values, arrays, or what Arrow has.
Columns = Mapping[str, Any]

# The bound on bodies, encoded and decoded; a table may have 65,536 columns under it.
LIMIT = 64 << 20
# What a table of two columns is multiplied by.
WEIGHTS = (2.0, 1.0)
GOOD: Columns = {"a": [1.0, 3.0], "b": [2.0, 4.0]}
PREDICTED = [4.0, 10.0]


@dataclass(frozen=True)
class Case:
    """A body, and the predictions that it deserves; none at all stand for a refusal, which may need certain words."""

    body: bytes
    predictions: Sequence[float | None] | None = None
    words: str = ""


def too_large(body: bytes) -> Case:
    """Return a body that is refused because of what it would unfold to."""
    return Case(body, words="(--max-decoded-bytes)")
