"""What is told of one call to those who watch over the model: how much, how long, what came in and what went out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


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
    """One report: seconds since 1970, the request it is about (none in batch), and its contents."""

    time: float
    request_id: str | None
    stats: Stats | None = None
    samples: Samples | None = None

    @property
    def cells(self) -> int:
        """How many single values it holds, as a measure of the memory it takes."""
        if self.samples is None:
            return 0
        parts = (self.samples.features, self.samples.predictions)
        return sum(int(np.prod(part.shape)) for part in parts if part is not None)


Reporter = Callable[[Report], None]


def snapshot(table: object) -> pd.DataFrame | None:
    """Return a copy of a table that nobody else can change; None for what is no table and for sparse columns."""
    if not isinstance(table, pd.DataFrame):
        return None
    is_sparse = bool(table.shape[1]) and isinstance(table.iloc[:, 0].dtype, pd.SparseDtype)
    return None if is_sparse else table.copy()
