"""Train a small LightGBM model and write what LightGBM itself predicts: python lightgbm.py FOLDER SUFFIX TARGET."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CASES = {
    ".pkl": ("regression", "binary", "multiclass", "anomaly"),
    ".joblib": ("regression", "binary", "multiclass"),
    ".txt": ("regression", "binary", "multiclass", "anomaly"),
}

NUMBERS = ["plain", "with space", "x<1", "naïve (%)"]
CATEGORY = "kind of thing"
OBJECTIVES = {"binary": "binary", "multiclass": "multiclass"}
LABELS = {"binary": ["stay", "leave"], "multiclass": ["red", "green", "blue"]}
PARAMETERS = {"min_child_samples": 5, "num_leaves": 7, "verbosity": -1}
ROUNDS = 12


def data() -> pd.DataFrame:
    """Return numbers with gaps, one column of whole numbers and one of categories."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(random.normal(size=(200, len(NUMBERS))), columns=NUMBERS)
    table = table.mask(random.random(table.shape) < 0.05)
    table["with space"] = random.integers(0, 9, len(table))
    return table.assign(**{CATEGORY: pd.Categorical(random.choice(["ash", "elm", "oak"], len(table)))})


def answers(table: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
    """Return what is to be learnt: a value, or the number of a class."""
    value = table[NUMBERS].fillna(0).to_numpy() @ np.array([1.0, 0.4, -0.7, 0.5]) + 2 * (table[CATEGORY] == "elm")
    if target == "anomaly":
        return np.asarray(np.abs(value - value.mean()))
    if target == "regression":
        return np.asarray(value)
    return np.asarray(np.searchsorted(np.quantile(value, [0.6] if target == "binary" else [0.3, 0.7]), value))


def native(path: Path, table: pd.DataFrame, y: np.ndarray[Any, Any], target: str) -> Any:
    """Write a booster and return what gives its predictions."""
    classes = {"num_class": 3} if target == "multiclass" else {}
    parameters = {**PARAMETERS, **classes, "objective": OBJECTIVES.get(target, "regression")}
    booster = lightgbm.train(parameters, lightgbm.Dataset(table, label=y), ROUNDS)
    booster.save_model(path)
    return lightgbm.Booster(model_file=path).predict


def pickled(path: Path, table: pd.DataFrame, y: np.ndarray[Any, Any], target: str) -> Any:
    """Write a model of the scikit-learn interface, in a pipeline for joblib, and return what gives its predictions."""
    kind = lightgbm.LGBMClassifier if target in LABELS else lightgbm.LGBMRegressor
    model = kind(n_estimators=ROUNDS, **PARAMETERS)
    if path.suffix == ".joblib":
        scaled = make_column_transformer((StandardScaler(), NUMBERS), verbose_feature_names_out=False)
        model = make_pipeline(scaled.set_output(transform="pandas"), model)
    model.fit(table, np.array(LABELS[target])[y] if target in LABELS else y)
    if path.suffix == ".joblib":
        joblib.dump(model, path)
    else:
        path.write_bytes(pickle.dumps(model))
    return model.predict_proba if target in LABELS else model.predict


def main(folder: Path, suffix: str, target: str) -> None:
    """Write the artifact, the input, the labels and the predictions."""
    table = data()
    write = pickled if suffix in (".pkl", ".joblib") else native
    predict = write(folder / f"model{suffix}", table, answers(table, target), target)
    table.head(40).to_csv(folder / "input.csv", index=False)
    values = np.asarray(predict(pd.read_csv(folder / "input.csv").astype({CATEGORY: "category"})), dtype=float)
    if write is native and target == "binary":
        values = np.column_stack([1 - values, values])
    # A classifier sorts its classes; a booster knows no labels, only their order.
    labels = sorted(LABELS.get(target, [])) if write is pickled else LABELS.get(target, [])
    expected = {"columns": labels or ["Predictions"], "values": values.reshape(len(values), -1).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
