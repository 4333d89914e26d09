"""Train small models, write them as ONNX, and write down what onnxruntime says: `python onnx.py FOLDER SUFFIX TARGET`.

Regression has several inputs by name, text among them; binary gives a zipmap, multiclass a matrix.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CASES = {".onnx": ("regression", "binary", "multiclass", "anomaly")}
LABELS: dict[str, list[str]] = {"binary": ["no", "yes"], "multiclass": ["ash", "birch", "cedar"]}
OPSETS = {"": 15, "ai.onnx.ml": 3}
ROWS = 40
NUMBERS = ["size [cm]", "a<b", "näme, with comma"]


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
        return table, np.array(LABELS[target])[np.digitize(signal, np.quantile(signal, np.arange(1, count) / count))]
    return table, signal


def by_name(table: pd.DataFrame, wanted: Any) -> tuple[Any, dict[str, Any]]:
    """Return a model with one input per column, and what it is fed; the exporter changes the names."""
    table["kind"] = ["x", "y", "z", "x"] * (ROWS // 4)
    columns = [("numbers", StandardScaler(), NUMBERS), ("kinds", OneHotEncoder(), ["kind"])]
    model = make_pipeline(ColumnTransformer(columns), LinearRegression()).fit(table, wanted)
    types: list[tuple[str, Any]] = [(name, DoubleTensorType([None, 1])) for name in NUMBERS]
    exported = to_onnx(model, initial_types=[*types, ("kind", StringTensorType([None, 1]))], target_opset=OPSETS)
    names = [each.name for each in exported.graph.input]
    parts: list[Any] = [table[[name]].to_numpy(np.float64) for name in NUMBERS]
    return exported, dict(zip(names, [*parts, table[["kind"]].to_numpy(object)], strict=True))


def whole(model: Any, table: pd.DataFrame, *, is_zipmap: bool) -> tuple[Any, dict[str, Any]]:
    options = {} if is_zipmap else {id(model): {"zipmap": False}}
    types = [("given", FloatTensorType([None, table.shape[1]]))]
    exported = to_onnx(model, initial_types=types, options=options, target_opset=OPSETS)
    return exported, {"given": table.to_numpy(np.float32)}


def export(table: pd.DataFrame, wanted: Any, target: str) -> tuple[Any, dict[str, Any]]:
    if target == "regression":
        return by_name(table, wanted)
    matrix = table.to_numpy(np.float32)
    if target == "binary":
        return whole(LogisticRegression().fit(matrix, wanted), table, is_zipmap=True)
    if target == "multiclass":
        forest = RandomForestClassifier(n_estimators=10, random_state=7)
        return whole(forest.fit(matrix, wanted), table, is_zipmap=False)
    return whole(IsolationForest(n_estimators=10, random_state=7).fit(matrix), table, is_zipmap=True)


def main(folder: Path, suffix: str, target: str) -> None:
    table, wanted = data(target)
    exported, feed = export(table, wanted, target)
    path = folder / f"model{suffix}"
    path.write_bytes(exported.SerializeToString())
    labels = LABELS.get(target, [])
    results = onnxruntime.InferenceSession(str(path)).run(None, feed)
    found = results[1] if labels else results[0]
    values = [[float(row[label]) for label in labels] for row in found] if target == "binary" else found.tolist()
    table.to_csv(folder / "input.csv", index=False)
    expected = {"columns": labels or ["Predictions"], "values": values}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
