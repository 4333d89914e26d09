"""The models and the input files that every contestant gets."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = tuple(f"f{number}" for number in range(20))
TRAINING_ROWS = 5_000
TREES = 20
# More rows are not in memory at the same time.
TABLE_ROWS = 100_000
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


def _forest(rows: int) -> RandomForestRegressor:
    """Return a forest whose trees know each row by heart."""
    frame, signal = _training(rows)
    forest = RandomForestRegressor(TREES, max_features=1, n_jobs=-1, random_state=SEED).fit(frame, signal)
    return forest.set_params(n_jobs=None)


MODELS: dict[str, Callable[[], tuple[Any, tuple[str, ...]]]] = {"reg": _reg, "bin": _bin, "hook": _reg}
CODE = {"hook": "def transform(data, model):\n    return data\n"}


def build(name: str, workspace: Path) -> BenchModel:
    """Fit one model and write its code directory."""
    estimator, options = MODELS[name]()
    return _write(BenchModel(name, workspace / name, options), estimator)


def build_forest(workspace: Path, *, rows: int) -> BenchModel:
    """Fit a random forest on so many rows, of which each takes 1.8 kB, and write its code directory."""
    return _write(BenchModel("forest", workspace / "forest", ("--target-type", "regression")), _forest(rows))


def _write(model: BenchModel, estimator: Any) -> BenchModel:
    model.folder.mkdir(parents=True)
    model.artifact.write_bytes(pickle.dumps(estimator))
    if model.name in CODE:
        (model.folder / "custom.py").write_text(CODE[model.name])
    return model


def write_rows(path: Path, rows: int) -> Path:
    """Write a CSV or Parquet file, by its suffix, with that many rows of 20 floats; the same rows each time."""
    with path.open("wb") as file:
        if path.suffix == ".parquet":
            _write_parquet(file, rows)
        else:
            _write_csv(file, rows)
    return path


def _write_csv(file: BinaryIO, rows: int) -> None:
    # pyarrow would quote the names.
    file.write(",".join(COLUMNS).encode() + b"\n")
    for table in _tables(rows):
        pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False))


def _write_parquet(file: BinaryIO, rows: int) -> None:
    schema = pa.schema([(name, pa.float64()) for name in COLUMNS])
    with pq.ParquetWriter(file, schema, use_dictionary=False) as writer:
        for table in _tables(rows):
            writer.write_table(table)


def _tables(rows: int) -> Iterator[Any]:
    random = np.random.default_rng(SEED)
    for start in range(0, rows, TABLE_ROWS):
        cells = random.standard_normal((min(TABLE_ROWS, rows - start), len(COLUMNS))).round(6)
        yield pa.table(dict(zip(COLUMNS, cells.T, strict=True)))


def _training(rows: int = TRAINING_ROWS) -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(SEED)
    cells = random.standard_normal((rows, len(COLUMNS)))
    signal = cells @ random.standard_normal(len(COLUMNS)) + random.standard_normal(rows)
    return pd.DataFrame(cells, columns=list(COLUMNS)), signal
