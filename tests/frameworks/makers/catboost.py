"""Train a small CatBoost model and write what CatBoost itself predicts: python catboost.py FOLDER SUFFIX TARGET."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import catboost
import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CASES = {
    ".cbm": ("regression", "binary", "multiclass", "anomaly"),
    ".pkl": ("regression", "binary", "multiclass"),
    ".joblib": ("regression", "binary", "multiclass"),
}

NUMBERS = ["plain", "a[0]", "x<1", "naïve, quoted"]
CATEGORY = "kind of thing"
LABELS = {"binary": ["stay", "leave"], "multiclass": ["red", "green", "blue"]}
PARAMETERS = {"iterations": 12, "depth": 3, "verbose": 0, "allow_writing_files": False, "random_seed": 1}


def data() -> pd.DataFrame:
    """Return numbers with gaps and one column of categories."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(random.normal(size=(200, len(NUMBERS))), columns=NUMBERS)
    table = table.mask(random.random(table.shape) < 0.05)
    return table.assign(**{CATEGORY: random.choice(["ash", "elm", "oak"], len(table))})


def answers(table: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
    """Return what is to be learnt: a value, or a label."""
    value = table[NUMBERS].fillna(0).to_numpy() @ np.array([1.0, 0.4, -0.7, 0.5]) + 2 * (table[CATEGORY] == "elm")
    if target == "anomaly":
        return np.asarray(np.abs(value - value.mean()))
    if target == "regression":
        return np.asarray(value)
    places = np.searchsorted(np.quantile(value, [0.6] if target == "binary" else [0.3, 0.7]), value)
    return np.asarray(np.array(LABELS[target])[places])


def trained(path: Path, table: pd.DataFrame, y: np.ndarray[Any, Any], target: str) -> Any:
    """Write a model, in a pipeline for joblib, and return it."""
    kind = catboost.CatBoostClassifier if target in LABELS else catboost.CatBoostRegressor
    if path.suffix == ".joblib":
        scaled = make_column_transformer((StandardScaler(), NUMBERS))
        model = make_pipeline(scaled, kind(**PARAMETERS)).fit(table, y)
        joblib.dump(model, path)
        return model
    model = kind(cat_features=[CATEGORY], **PARAMETERS).fit(table, y)
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(path)
    return model


def main(folder: Path, suffix: str, target: str) -> None:
    """Write the artifact, the input, the labels and the predictions."""
    table = data()
    model = trained(folder / f"model{suffix}", table, answers(table, target), target)
    table.head(40).to_csv(folder / "input.csv", index=False)
    rows = pd.read_csv(folder / "input.csv")
    values = np.asarray(model.predict_proba(rows) if target in LABELS else model.predict(rows), dtype=float)
    labels = [str(label) for label in model.classes_] if target in LABELS else []
    expected = {"columns": labels or ["Predictions"], "values": values.reshape(len(values), -1).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
