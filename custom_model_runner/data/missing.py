"""Missing values in tables, as `pandas.read_csv` gives them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_object_dtype


def as_nan(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with NaN for each missing value in its columns of objects."""
    for position, dtype in enumerate(table.dtypes):
        if not is_object_dtype(dtype):
            continue
        column = table.iloc[:, position]
        gaps = column.isna().to_numpy()
        if gaps.any():
            values = column.to_numpy(dtype=object, copy=True)
            values[gaps] = np.nan
            table.isetitem(position, pd.Series(values, dtype=object).array)
    return table
