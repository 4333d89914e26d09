"""Train a small scikit-learn model and write what it predicts: python sklearn.py FOLDER SUFFIX TARGET."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

CASES = {
    ".pkl": ("regression", "binary", "multiclass", "anomaly"),
    ".joblib": ("regression", "binary", "multiclass", "anomaly"),
    ".skops": ("regression", "binary"),
}

NUMBERS = ["plain", "a[0]", "x<1", "naïve, quoted"]
CATEGORY = "kind of thing"
LABELS = {"binary": ["stay", "leave"], "multiclass": ["red", "green", "blue"]}


def data() -> pd.DataFrame:
    """Return numbers with gaps and one column of categories."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(random.normal(size=(200, len(NUMBERS))), columns=NUMBERS)
    table = table.mask(random.random(table.shape) < 0.05)
    return table.assign(**{CATEGORY: random.choice(["ash", "elm", "oak"], len(table))})


def answers(table: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
    """Return what is to be learnt: a value, or a label."""
    value = table[NUMBERS].fillna(0).to_numpy() @ np.array([1.0, 0.4, -0.7, 0.5]) + 2 * (table[CATEGORY] == "elm")
    if target not in LABELS:
        return np.asarray(value)
    places = np.searchsorted(np.quantile(value, [0.6] if target == "binary" else [0.3, 0.7]), value)
    return np.asarray(np.array(LABELS[target])[places])


def estimator(target: str, *, linear: bool) -> Any:
    """Return an untrained model."""
    if target == "anomaly":
        return IsolationForest(n_estimators=20, random_state=1)
    if target == "regression":
        return Ridge() if linear else RandomForestRegressor(n_estimators=10, random_state=1)
    return LogisticRegression() if linear else RandomForestClassifier(n_estimators=10, random_state=1)


def main(folder: Path, suffix: str, target: str) -> None:
    """Write the artifact, the input, the labels and the predictions."""
    table = data()
    columns = make_column_transformer((SimpleImputer(), NUMBERS), (OneHotEncoder(), [CATEGORY]))
    model = make_pipeline(columns, estimator(target, linear=suffix != ".pkl")).fit(table, answers(table, target))
    if suffix == ".joblib":
        joblib.dump(model, folder / "model.joblib")
    elif suffix == ".skops":
        skops.io.dump(model, folder / "model.skops")
    else:
        (folder / "model.pkl").write_bytes(pickle.dumps(model))
    table.head(40).to_csv(folder / "input.csv", index=False)
    rows = pd.read_csv(folder / "input.csv")
    values = np.asarray(model.predict_proba(rows) if target in LABELS else model.predict(rows), dtype=float)
    labels = [str(label) for label in model.classes_] if target in LABELS else []
    expected = {"columns": labels or ["Predictions"], "values": values.reshape(len(values), -1).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
