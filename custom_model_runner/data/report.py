"""What is told of one call to those who watch over the model: how much, how long, what came in and what went out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

BYTES_OF_A_NUMBER = 8


@dataclass(frozen=True)
class Subject:
    """The deployment and the model that are reported about."""

    deployment_id: str
    model_id: str


@dataclass(frozen=True)
class Stats:
    """How many predictions were made, in how many milliseconds."""

    num_predictions: int
    execution_time_ms: float


@dataclass(frozen=True)
class Samples:
    """What was predicted for what: n rows of features, n or n x k predictions, the names of k classes, n ids."""

    features: pd.DataFrame | None
    predictions: np.ndarray[Any, Any] | None
    class_names: tuple[str, ...] | None = None
    association_ids: tuple[str | int, ...] | None = None

    def __len__(self) -> int:
        return len(self.features if self.features is not None else () if self.predictions is None else self.predictions)


@dataclass(frozen=True)
class Report:
    """One report: seconds since 1970, the request it is about (none in batch), its contents, and their size as text.

    The size may be left out where the contents are numbers.
    """

    time: float
    request_id: str | None
    stats: Stats | None = None
    samples: Samples | None = None
    size: int = 0

    @property
    def weight(self) -> int:
        """About how many bytes it takes, in memory and in a file."""
        if self.samples is None:
            return 0
        parts = (self.samples.features, self.samples.predictions)
        numbers = sum(BYTES_OF_A_NUMBER * int(np.prod(part.shape)) for part in parts if part is not None)
        return max(self.size, numbers)


Reporter = Callable[[Report], None]


def snapshot(table: object) -> pd.DataFrame | None:
    """Return a copy of a table that nobody else can change; None for what is no table and for sparse columns."""
    if not isinstance(table, pd.DataFrame):
        return None
    is_sparse = bool(table.shape[1]) and isinstance(table.iloc[:, 0].dtype, pd.SparseDtype)
    return None if is_sparse else table.copy()
