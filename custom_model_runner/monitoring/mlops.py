"""The object `mlops` of `score_unstructured`: user code reports with it what only it can know."""

from __future__ import annotations

import math
import numbers
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data.report import Report, Reporter, Samples, Stats

STATS = "report_deployment_stats"
DATA = "report_predictions_data"


@dataclass(frozen=True)
class MLOps:
    """What one call may report; what is handed over is copied, and wrong arguments are a ValueError."""

    reporter: Reporter
    request_id: str | None = None

    def report_deployment_stats(
        self, num_predictions: int, execution_time: float | None = None, *, execution_time_ms: float | None = None
    ) -> None:
        """Report how many predictions were made, in how many milliseconds (under either name)."""
        if (execution_time is None) == (execution_time_ms is None):
            raise ValueError(f"{STATS} takes num_predictions and one execution_time, in milliseconds")
        milliseconds = execution_time if execution_time_ms is None else execution_time_ms
        stats = Stats(
            int(_number("num_predictions", num_predictions, numbers.Integral)),
            float(_number("execution_time", milliseconds, numbers.Real)),
        )
        self.reporter(Report(time.time(), self.request_id, stats=stats))

    def report_predictions_data(
        self,
        features_df: pd.DataFrame | None = None,
        predictions: Sequence[Any] | np.ndarray[Any, Any] | None = None,
        association_ids: Sequence[str | int] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Report features, predictions (one value a row, or one list of `len(class_names)`), and an id for each row."""
        samples = Samples(_features(features_df), _predictions(predictions), _names(class_names), _ids(association_ids))
        _check(samples)
        self.reporter(Report(time.time(), self.request_id, samples=samples))


def _number(name: str, value: Any, kind: type) -> Any:
    is_number = isinstance(value, kind) and not isinstance(value, (bool, np.bool_))
    if not is_number or not math.isfinite(value) or value < 0:
        found = repr(value) if is_number else type(value).__name__
        wanted = "a whole number" if kind is numbers.Integral else "a number"
        raise ValueError(f"{STATS}: {name} is {found}, expected {wanted} from 0 on")
    return value


def _features(table: Any) -> pd.DataFrame | None:
    if table is not None and not isinstance(table, pd.DataFrame):
        raise ValueError(f"{DATA}: features_df is {type(table).__name__}, expected a DataFrame")
    return None if table is None else table.copy()


def _predictions(values: Any) -> np.ndarray[Any, Any] | None:
    if values is None:
        return None
    found = [*values] if isinstance(values, (Sequence, np.ndarray, pd.Series)) and not isinstance(values, str) else None
    if found is None:
        raise ValueError(f"{DATA}: predictions is {type(values).__name__}, expected a list")
    widths = {len(row) if isinstance(row, (Sequence, np.ndarray)) and not isinstance(row, str) else 0 for row in found}
    if len(widths) > 1:
        raise ValueError(f"{DATA}: the rows of predictions differ in length, expected the same in all")
    array = np.array(found)
    if array.dtype.kind not in "biufU" or array.ndim > 2:
        raise ValueError(f"{DATA}: predictions hold {array.dtype} values, expected numbers or texts")
    return array


def _names(names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{DATA}: class_names must be a list of texts")
    return tuple(str(name) for name in names)


def _ids(ids: Any) -> tuple[str | int, ...] | None:
    if ids is None:
        return None
    if isinstance(ids, str) or not all(isinstance(one, (str, numbers.Integral)) for one in ids):
        raise ValueError(f"{DATA}: association_ids must be a list of texts or whole numbers")
    return tuple(one if isinstance(one, str) else int(one) for one in ids)


def _check(samples: Samples) -> None:
    """Compare lengths."""
    features, predictions, names = samples.features, samples.predictions, samples.class_names
    lengths = {
        "features_df": None if features is None else len(features),
        "predictions": None if predictions is None else len(predictions),
        "association_ids": None if samples.association_ids is None else len(samples.association_ids),
    }
    if features is None and predictions is None:
        raise ValueError(f"{DATA} needs features_df or predictions, found neither")
    given = {name: length for name, length in lengths.items() if length is not None}
    if len(set(given.values())) > 1:
        found = ", ".join(f"{name} {length}" for name, length in given.items())
        raise ValueError(f"{DATA}: rows differ in number: {found}; expected the same in all")
    width = 1 if predictions is None or predictions.ndim == 1 else predictions.shape[1]
    is_nested = predictions is not None and predictions.ndim == 2
    if is_nested != (names is not None) and len(samples):
        found = "class_names without them" if names else "no class_names"
        raise ValueError(f"{DATA}: predictions with one value per class need class_names; found {found}")
    if names is not None and len(names) != width:
        raise ValueError(f"{DATA}: {len(names)} class_names for {width} values per prediction, expected as many")
