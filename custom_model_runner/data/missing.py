"""Missing values in tables, as `pandas.read_csv` gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype

Array = np.ndarray[Any, Any]


def as_nan(table: pd.DataFrame, is_number: Callable[[Array], bool] | None = None) -> pd.DataFrame:
    """Return the table with NaN for each missing value in its columns of objects, those that are numbers as floats.

    All columns are changed in one go: one by one, very many of them would take minutes.
    """
    objects = [position for position, dtype in enumerate(table.dtypes) if is_object_dtype(dtype)]
    if not objects:
        return table
    values = table.iloc[:, objects].to_numpy(dtype=object, copy=True)
    gaps = pd.isna(values)
    numbers = np.array([is_number is not None and is_number(column) for column in values.T])
    if not gaps.any() and not numbers.any():
        return table
    values[gaps] = np.nan
    others = [position for position, dtype in enumerate(table.dtypes) if not is_object_dtype(dtype)]
    parts = [
        table.iloc[:, others],
        pd.DataFrame(values[:, numbers].astype(np.float64)),
        pd.DataFrame(values[:, ~numbers], dtype=object),
    ]
    order = np.concatenate([others, np.array(objects)[numbers], np.array(objects)[~numbers]])
    return _beside(parts, order, table.columns)


def _beside(parts: Sequence[pd.DataFrame], order: Array, names: pd.Index[Any]) -> pd.DataFrame:
    """Return tables side by side, each column at the place that `order` gives it."""
    joined = pd.concat(parts, axis=1, ignore_index=True).iloc[:, np.argsort(order)]
    return joined.set_axis(names, axis=1)
