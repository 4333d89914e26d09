"""Train a small XGBoost model and write what XGBoost itself predicts: python xgboost.py FOLDER SUFFIX TARGET."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import xgboost
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CASES = {
    ".pkl": ("regression", "binary", "multiclass", "anomaly"),
    ".joblib": ("regression", "binary", "multiclass"),
    ".json": ("regression", "binary", "multiclass", "anomaly"),
    ".ubj": ("regression", "binary", "multiclass"),
}

# XGBoost refuses the brackets and the sign: whoever has such columns trains without their names.
COLUMNS = ["plain", "with space", "a[0]", "x<1", "naïve, quoted"]
OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob"}
LABELS = {"binary": ["stay", "leave"], "multiclass": ["red", "green", "blue"]}
ROUNDS = 12


def data() -> pd.DataFrame:
    """Return numbers with gaps, and one column of whole numbers."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(random.normal(size=(200, len(COLUMNS))), columns=COLUMNS)
    table["with space"] = random.integers(0, 9, len(table))
    return table.mask(pd.DataFrame(random.random(table.shape) < 0.05, columns=COLUMNS).assign(**{"with space": False}))


def answers(table: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
    """Return what is to be learnt: a value, or the number of a class."""
    value = table.fillna(0).to_numpy() @ np.array([1.0, 0.4, -0.7, 0.5, 0.2])
    if target == "anomaly":
        return np.asarray(np.abs(value - value.mean()))
    if target == "regression":
        return np.asarray(value)
    return np.asarray(np.searchsorted(np.quantile(value, [0.6] if target == "binary" else [0.3, 0.7]), value))


def native(path: Path, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], target: str) -> Any:
    """Write a booster and return what gives its predictions."""
    parameters = {"objective": OBJECTIVES.get(target, "reg:squarederror"), "max_depth": 3, "seed": 1}
    classes = {"num_class": 3} if target == "multiclass" else {}
    booster = xgboost.train(parameters | classes, xgboost.DMatrix(x, label=y), ROUNDS)
    booster.save_model(path)
    return lambda rows: booster.predict(xgboost.DMatrix(rows))


def pickled(path: Path, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], target: str) -> Any:
    """Write a model of the scikit-learn interface, in a pipeline for joblib, and return what gives its predictions."""
    kind = xgboost.XGBClassifier if target in LABELS else xgboost.XGBRegressor
    model = kind(n_estimators=ROUNDS, max_depth=3, random_state=1)
    if path.suffix == ".joblib":
        model = make_pipeline(StandardScaler(), model)
    model.fit(x, y)
    if path.suffix == ".joblib":
        joblib.dump(model, path)
    else:
        path.write_bytes(pickle.dumps(model))
    return model.predict_proba if target in LABELS else model.predict


def main(folder: Path, suffix: str, target: str) -> None:
    """Write the artifact, the input, the labels and the predictions."""
    table = data()
    write = pickled if suffix in (".pkl", ".joblib") else native
    predict = write(folder / f"model{suffix}", table.to_numpy(), answers(table, target), target)
    table.head(40).to_csv(folder / "input.csv", index=False)
    values = np.asarray(predict(pd.read_csv(folder / "input.csv").to_numpy()), dtype=float)
    if write is native and target == "binary":
        values = np.column_stack([1 - values, values])
    labels = LABELS.get(target, [])
    if write is pickled:
        # The classifiers of this library know the numbers of classes only.
        labels = [str(number) for number in range(len(labels))]
    expected = {"columns": labels or ["Predictions"], "values": values.reshape(len(values), -1).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
