"""The models and the input files that every contestant gets."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = tuple(f"f{number}" for number in range(20))
TRAINING_ROWS = 5_000
SEED = 0


@dataclass(frozen=True)
class BenchModel:
    """A code directory with one artifact, and the options that `drum` needs for it."""

    name: str
    folder: Path
    options: tuple[str, ...]

    @property
    def artifact(self) -> Path:
        """Return the pickled estimator."""
        return self.folder / "model.pkl"


def _reg() -> tuple[Any, tuple[str, ...]]:
    frame, signal = _training()
    return make_pipeline(StandardScaler(), Ridge()).fit(frame, signal), ("--target-type", "regression")


def _bin() -> tuple[Any, tuple[str, ...]]:
    frame, signal = _training()
    trees = HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=SEED)
    labels = ("--positive-class-label", "yes", "--negative-class-label", "no")
    return trees.fit(frame, np.where(signal > 0, "yes", "no")), ("--target-type", "binary", *labels)


MODELS: dict[str, Callable[[], tuple[Any, tuple[str, ...]]]] = {"reg": _reg, "bin": _bin, "hook": _reg}
CODE = {"hook": "def transform(data, model):\n    return data\n"}


def build(name: str, workspace: Path) -> BenchModel:
    """Fit one model and write its code directory."""
    estimator, options = MODELS[name]()
    model = BenchModel(name, workspace / name, options)
    model.folder.mkdir(parents=True)
    model.artifact.write_bytes(pickle.dumps(estimator))
    if name in CODE:
        (model.folder / "custom.py").write_text(CODE[name])
    return model


def write_rows(path: Path, rows: int) -> Path:
    """Write a CSV file with that many rows of 20 floats; the same rows each time."""
    cells = np.random.default_rng(SEED).standard_normal((rows, len(COLUMNS))).round(6)
    table = pa.table(dict(zip(COLUMNS, cells.T, strict=True)))
    with path.open("wb") as file:
        # pyarrow would quote the names.
        file.write(",".join(COLUMNS).encode() + b"\n")
        pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False))
    return path


def _training() -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(SEED)
    cells = random.standard_normal((TRAINING_ROWS, len(COLUMNS)))
    signal = cells @ random.standard_normal(len(COLUMNS)) + random.standard_normal(TRAINING_ROWS)
    return pd.DataFrame(cells, columns=list(COLUMNS)), signal
