"""Train a small Keras network, save it, and write down what it says: `python keras.py FOLDER SUFFIX TARGET`."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Keras reads it once, when it is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")
import keras

CASES = {
    ".keras": ("regression", "binary", "multiclass", "anomaly"),
    ".h5": ("regression", "binary", "multiclass"),
    ".pkl": ("regression", "binary", "multiclass"),
    ".joblib": ("regression", "binary"),
}
LABELS: dict[str, list[str]] = {"binary": ["no", "yes"], "multiclass": ["ash", "birch", "cedar"]}
ROWS = 40
EPOCHS = 15
NUMBERS = ["size [cm]", "a<b", "näme, with comma"]

# What builds the network of a scikit-learn wrapper must be importable where it is loaded.
BUILDER = """
import keras


def build(X, y):
    outputs = y.shape[1] if y.ndim > 1 else 1
    last = "softmax" if outputs > 1 else "softplus"
    network = keras.Sequential([keras.Input((X.shape[1],)), keras.layers.Dense(outputs, activation=last)])
    network.compile("adam", "categorical_crossentropy" if outputs > 1 else "mse")
    return network
"""


def data(target: str) -> tuple[pd.DataFrame, Any]:
    """Return columns with odd names, and what is to be learnt from them."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "size [cm]": random.normal(size=ROWS),
            "a<b": random.integers(-3, 4, size=ROWS),
            "näme, with comma": random.normal(2, 3, size=ROWS),
        }
    )
    signal = table.to_numpy() @ np.array([1.0, -0.5, 0.25])
    if target in LABELS:
        count = len(LABELS[target])
        return table, np.digitize(signal, np.quantile(signal, np.arange(1, count) / count))
    # Far from zero, where the last bits of a float32 would be a large part of a value.
    return table, np.exp(signal / 2) + 1


def train(matrix: Any, wanted: Any, target: str) -> Any:
    outputs = len(LABELS[target]) if target == "multiclass" else 1
    last = {"binary": "sigmoid", "multiclass": "softmax"}.get(target, "softplus")
    losses = {"binary": "binary_crossentropy", "multiclass": "sparse_categorical_crossentropy"}
    layers = [
        keras.Input((matrix.shape[1],)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(outputs, activation=last),
    ]
    network = keras.Sequential(layers)
    network.compile("adam", losses.get(target, "mse"))
    network.fit(matrix, wanted, epochs=EPOCHS, verbose=0)
    return network


def preparation() -> Any:
    columns = [("numbers", StandardScaler(), NUMBERS), ("kinds", OneHotEncoder(), ["kind"])]
    return ColumnTransformer(columns, sparse_threshold=1.0)


def pipeline(table: pd.DataFrame, wanted: Any, target: str) -> tuple[Any, Any]:
    """Return a pipeline that ends in a network, and what that gives; its steps take text and give a sparse matrix."""
    table["kind"] = ["x", "y", "z", "x"] * (ROWS // 4)
    steps = preparation().fit(table)
    matrix = np.asarray(steps.transform(table).todense(), dtype=np.float32)
    network = train(matrix, wanted, target)
    return Pipeline([("prepare", steps), ("network", network)]), network.predict(matrix, verbose=0)


def wrapped(table: pd.DataFrame, wanted: Any, target: str, folder: Path) -> tuple[Any, Any]:
    """Return a pipeline that ends in a scikit-learn wrapper of Keras, and what that gives."""
    (folder / "builder.py").write_text(BUILDER)
    sys.path.insert(0, str(folder))
    build = importlib.import_module("builder").build

    kind = keras.wrappers.SKLearnClassifier if target in LABELS else keras.wrappers.SKLearnRegressor
    known = np.array(LABELS[target])[wanted] if target in LABELS else wanted
    steps = Pipeline([("scale", StandardScaler()), ("network", kind(build, fit_kwargs={"verbose": 0}))])
    steps.fit(table, known)
    return steps, steps[-1].model_.predict(steps[:-1].transform(table), verbose=0)


def save(model: Any, path: Path) -> None:
    if path.suffix == ".pkl":
        with path.open("wb") as file:
            pickle.dump(model, file)
    elif path.suffix == ".joblib":
        joblib.dump(model, path)
    else:
        model.save(path)


def main(folder: Path, suffix: str, target: str) -> None:
    keras.utils.set_random_seed(7)
    table, wanted = data(target)
    labels = LABELS.get(target, [])
    if suffix == ".pkl":
        model, values = pipeline(table, wanted, target)
    elif suffix == ".joblib":
        model, values = wrapped(table, wanted, target, folder)
    else:
        matrix = np.ascontiguousarray(table, dtype=np.float32)
        model = train(matrix, wanted, target)
        values = model.predict(matrix, verbose=0)
    values = values.astype(np.float64)
    if target == "binary" and values.shape[1] == 1:
        values = np.hstack([1 - values, values])
    save(model, folder / f"model{suffix}")
    table.to_csv(folder / "input.csv", index=False)
    expected = {"columns": labels or ["Predictions"], "values": values.tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
