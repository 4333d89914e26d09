"""Train a small PyTorch network, save it, and write down what it says: `python torch.py FOLDER SUFFIX TARGET`."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

CASES = {
    ".pth": ("regression", "binary", "multiclass", "anomaly"),
    ".pt2": ("regression", "binary", "multiclass", "anomaly"),
    ".pkl": ("regression", "binary", "multiclass"),
    ".joblib": ("regression", "binary"),
}
LABELS: dict[str, list[str]] = {"binary": ["no", "yes"], "multiclass": ["ash", "birch", "cedar"]}
ROWS = 40
EPOCHS = 30

# The class of a whole module stands in a file beside it.
NETWORK = """
from torch import nn


class Network(nn.Module):
    def __init__(self, width, outputs, last):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(width, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, outputs))
        self.last = last

    def forward(self, given):
        return self.last(self.body(given))
"""


def data(target: str) -> tuple[pd.DataFrame, Any]:
    """Return columns with odd names and of several types, and what is to be learnt from them."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "size [cm]": random.normal(size=ROWS),
            "a<b": random.integers(-3, 4, size=ROWS),
            "näme, with comma": random.normal(2, 3, size=ROWS),
            "is it": random.random(ROWS) < 0.5,
        }
    )
    signal = table.to_numpy(np.float32) @ np.array([1.0, -0.5, 0.25, 0.8], dtype=np.float32)
    if target in LABELS:
        count = len(LABELS[target])
        return table, np.digitize(signal, np.quantile(signal, np.arange(1, count) / count))
    # Far from zero, where the last bits of a float32 would be a large part of a value.
    return table, np.exp(signal / 2) + 1


def train(network: Any, given: Any, wanted: Any, target: str) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        found = network(given)
        if target == "multiclass":
            loss = torch.nn.functional.nll_loss(torch.log(found), torch.tensor(wanted))
        elif target == "binary":
            loss = torch.nn.functional.binary_cross_entropy(found[:, 0], torch.tensor(wanted, dtype=torch.float32))
        else:
            # What an autoencoder gives back badly is an anomaly; here the distance to a plane will do.
            loss = torch.nn.functional.mse_loss(found[:, 0], torch.tensor(wanted, dtype=torch.float32))
        loss.backward()
        optimizer.step()


def save(network: Any, path: Path, target: str, given: Any, scaler: Any) -> None:
    if path.suffix == ".pth" and target in ("binary", "anomaly"):
        torch.jit.trace(network, given).save(str(path))
    elif path.suffix == ".pth":
        # In training mode, as one saves by mistake: the runner must turn dropout off.
        torch.save(network.train(), path)
    elif path.suffix == ".pt2":
        shapes = ({0: torch.export.Dim("rows")},)
        torch.export.save(torch.export.export(network, (given,), dynamic_shapes=shapes), path)
    elif path.suffix == ".pkl":
        with path.open("wb") as file:
            pickle.dump(network.train(), file)
    else:
        joblib.dump(Pipeline([("scale", scaler), ("network", network)]), path)


def main(folder: Path, suffix: str, target: str) -> None:
    torch.manual_seed(7)
    table, wanted = data(target)
    (folder / "network.py").write_text(NETWORK)
    sys.path.insert(0, str(folder))
    network_class = importlib.import_module("network").Network

    scaler = StandardScaler().fit(table)
    matrix = scaler.transform(table) if suffix == ".joblib" else table.to_numpy(np.float32)
    given = torch.from_numpy(np.ascontiguousarray(matrix, dtype=np.float32))
    lasts = {"binary": torch.nn.Sigmoid(), "multiclass": torch.nn.Softmax(dim=1)}
    labels = LABELS.get(target, [])
    network = network_class(4, 3 if target == "multiclass" else 1, lasts.get(target, torch.nn.Softplus()))
    train(network, given, wanted, target)
    network.eval()
    with torch.no_grad():
        values = network(given).double().numpy()
    if target == "binary":
        values = np.hstack([1 - values, values])
    save(network, folder / f"model{suffix}", target, given, scaler)
    table.to_csv(folder / "input.csv", index=False)
    expected = {"columns": labels or ["Predictions"], "values": values.tolist()}
    (folder / "expected.json").write_text(json.dumps(expected))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
