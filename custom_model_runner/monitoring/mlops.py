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

LISTS = (list, tuple, np.ndarray, pd.Series, pd.Index)
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
        size = 0 if samples.features is None else int(samples.features.memory_usage(deep=True).sum())
        self.reporter(Report(time.time(), self.request_id, samples=samples, size=size))


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
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and values.ndim in (1, 2):
        return values.copy()
    found = _listed("predictions", values)
    rows = [list(row) if isinstance(row, LISTS) else row for row in found]
    widths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if len(widths) > 1:
        raise ValueError(f"{DATA}: the rows of predictions differ in length, expected the same in all")
    cells = [cell for row in rows for cell in (row if isinstance(row, list) else [row])]
    if not all(isinstance(cell, numbers.Real) for cell in cells) and not (
        widths == {0} and all(isinstance(cell, str) for cell in cells)
    ):
        kinds = ", ".join(sorted({type(cell).__name__ for cell in cells}))
        raise ValueError(f"{DATA}: predictions hold {kinds}, expected numbers, or one text for each row")
    return np.array(rows)


def _names(names: Any) -> tuple[str, ...] | None:
    found = None if names is None else _listed("class_names", names)
    if found is not None and not all(isinstance(name, str) for name in found):
        raise ValueError(f"{DATA}: class_names hold other things than texts")
    return None if found is None else tuple(map(str, found))


def _ids(ids: Any) -> tuple[str | int, ...] | None:
    found = None if ids is None else _listed("association_ids", ids)
    if found is not None and not all(isinstance(one, (str, numbers.Integral)) for one in found):
        raise ValueError(f"{DATA}: association_ids hold other things than texts and whole numbers")
    return None if found is None else tuple(str(one) if isinstance(one, str) else int(one) for one in found)


def _listed(name: str, values: Any) -> list[Any]:
    if not isinstance(values, LISTS):
        raise ValueError(f"{DATA}: {name} is {type(values).__name__}, expected a list")
    return list(values)


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
    if not len(samples):
        return
    if is_nested != (names is not None):
        found = "class_names without them" if names else "no class_names"
        raise ValueError(f"{DATA}: predictions with one value per class need class_names; found {found}")
    if names is not None and len(names) != width:
        raise ValueError(f"{DATA}: {len(names)} class_names for {width} values per prediction, expected as many")
