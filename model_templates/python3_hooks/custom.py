"""Tell irises apart in a spreadsheet export: every hook of a structured model, each doing one step."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

settings: dict[str, float] = {}


def init(code_dir: str) -> None:
    """Run once, before every other hook: read what they share."""
    settings.update(json.loads(Path(code_dir, "settings.json").read_text(encoding="utf-8")))


def read_input_data(input_binary_data: bytes) -> pd.DataFrame:
    """Read the export of a spreadsheet that writes 5,1 for 5.1 and parts its columns with semicolons."""
    return pd.read_csv(io.BytesIO(input_binary_data), sep=";", decimal=",")


def load_model(code_dir: str) -> dict[str, Any]:
    """Read the artifact, which is JSON and so needs this hook."""
    model: dict[str, Any] = json.loads(Path(code_dir, "centroids.json").read_text(encoding="utf-8"))
    return model


def transform(data: pd.DataFrame, model: dict[str, Any]) -> pd.DataFrame:
    """Put each measurement on the scale the model was fitted on; one that is missing counts as average."""
    measurements = data[model["columns"]]
    return ((measurements - model["mean"]) / model["deviation"]).fillna(0.0)


def score(data: pd.DataFrame, model: dict[str, Any], **kwargs: Any) -> pd.DataFrame:
    """Give the nearer species the higher probability; the column that is no label is extra output."""
    labels = kwargs["class_labels"]
    centroids = np.array([model["centroids"][label] for label in labels])
    squares = ((data.to_numpy()[:, np.newaxis, :] - centroids) ** 2).sum(axis=2)
    # The nearest one is taken off first: a flower far from all of them must not become 0 / 0.
    weights = np.exp((squares.min(axis=1, keepdims=True) - squares) / 2)
    predictions = pd.DataFrame(weights / weights.sum(axis=1, keepdims=True), columns=labels)
    predictions["distance"] = np.sqrt(squares.min(axis=1))
    return predictions


def post_process(predictions: pd.DataFrame, model: dict[str, Any]) -> pd.DataFrame:
    """Leave room for doubt: no label falls below the floor in settings.json, and a row still adds up to 1."""
    floor = settings["floor"]
    return floor + predictions * (1 - floor * predictions.shape[1])
