"""Before anything is timed: do all contestants give the same predictions?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

# An ordinary script rounds its JSON to ten decimals; a real disagreement is far larger.
TOLERANCE = 1e-8

Floats = npt.NDArray[np.float64]


class Disagreement(Exception):
    """Contestants that do not do the same work can not be compared."""


def from_json(body: bytes) -> Floats:
    """Return the predictions of an HTTP answer; for two classes, those of `yes`."""
    predictions = json.loads(body)["predictions"]
    return np.array([row["yes"] if isinstance(row, dict) else row for row in predictions], dtype=np.float64)


def from_file(path: Path) -> Floats:
    """Return the predictions of a batch run, CSV or Parquet by the suffix; for two classes, those of `yes`."""
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame["yes" if "yes" in frame else "Predictions"].to_numpy(np.float64)


def check(predictions: Mapping[str, Floats], *, rows: int, what: str) -> None:
    """Fail when a contestant's row count or values differ from the first one's."""
    first_name, first = next(iter(predictions.items()))
    for name, values in predictions.items():
        if len(values) != rows:
            raise Disagreement(f"{what}: {name} gave {len(values)} predictions for {rows} rows")
        if not np.allclose(values, first, rtol=TOLERANCE, atol=TOLERANCE):
            worst = float(np.max(np.abs(values - first)))
            raise Disagreement(f"{what}: {name} and {first_name} differ by up to {worst:g}")
