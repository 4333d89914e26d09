"""Reports for one test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custom_model_runner.data.report import Report, Samples, Stats, Subject

SUBJECT = Subject("the-deployment", "the-model")


def counted(number: int) -> Report:
    """A report that is told from others by its number of predictions."""
    return Report(0.0, None, Stats(number, 1.5))


def sampled(rows: int, columns: int = 1) -> Report:
    """A report of so many features and one prediction for each row."""
    features = pd.DataFrame(np.zeros((rows, columns)), columns=[f"x{index}" for index in range(columns)])
    return Report(0.0, None, samples=Samples(features, np.zeros(rows)))
