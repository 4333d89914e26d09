"""One call of a model while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd

from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.report import Report, Samples, Stats
from custom_model_runner.data.stages import Stages
from custom_model_runner.data.target import Target


@dataclass
class Call:
    """What is recorded of a call: its rows, if all went well, and the seconds it took, once it has ended.

    The features are copied only where somebody is told of them.
    """

    stages: Stages
    rows: int = 0
    seconds: float = 0.0
    features: pd.DataFrame | None = None

    def stats(self) -> Stats:
        """Return what reports tell of the call."""
        return Stats(self.rows, self.seconds * 1000)


def report(call: Call, result: Predictions, target: Target, *, request_id: str | None, size: int) -> Report:
    """Return what is told of a call; predictions are copied, since models may use their memory again."""
    names = target.labels or None
    values = result.values[:, [result.columns.index(name) for name in names] if names else 0].copy()
    return Report(time.time(), request_id, call.stats(), Samples(call.features, values, names), size)
