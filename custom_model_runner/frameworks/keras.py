"""Keras models on any backend, alone or as the last step of a pipeline, and its scikit-learn wrappers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner import plugins
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import LoadError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import fitted, matrix, sklearn
from custom_model_runner.target_type import TargetType

try:
    import h5py
    import keras
except ModuleNotFoundError as missing:
    if explained := plugins.missing_backend("keras", missing.name or ""):
        raise LoadError(explained) from missing
    raise

HDF5 = b"\x89HDF"
ZIP = b"PK"
BEGINS = {".h5": HDF5, ".keras": ZIP}
KINDS = {HDF5: "HDF5 file, which is called .h5", ZIP: "zip archive, which is called .keras"}

LAMBDAS = frozenset({"Lambda", "__lambda__"})

# Few enough for memory, many enough for speed; the rows of a dense network do not depend on one another.
BLOCK = 1024


def load(path: Path) -> Any:
    """Open a model, without what is needed for training only."""
    _check_file(path)
    return keras.saving.load_model(path, compile=False)


def load_without_code(path: Path) -> Any:
    """Open an HDF5 file unless it has Lambda layers: some versions of Keras run their code."""
    _check_file(path)
    with h5py.File(path) as file:
        config = file.attrs.get("model_config", b"{}")
    if _has_lambda(json.loads(config)):
        raise LoadError(
            f"--no-pickle refuses {path.name}: it has a Lambda layer, which is code; use a layer of Keras instead"
        )
    return load(path)


def _has_lambda(config: Any) -> bool:
    """Say whether a part of a configuration, at any depth, is a Lambda layer."""
    inner = [config]
    while inner:
        part = inner.pop()
        if isinstance(part, dict):
            if str(part.get("class_name")).rpartition(">")[2] in LAMBDAS:
                return True
            inner += part.values()
        elif isinstance(part, list):
            inner += part
    return False


def _check_file(path: Path) -> None:
    with path.open("rb") as file:
        found = file.read(len(HDF5))
    suffix = path.suffix.lower()
    if not found.startswith(BEGINS[suffix]):
        kind = next((words for begin, words in KINDS.items() if found.startswith(begin)), "file of no Keras format")
        raise LoadError(f"{path.name} is a {kind}; save the model with model.save('model{suffix}')")
    if path.suffix != suffix:
        raise LoadError(f"Keras knows its files by suffixes in lower case: rename {path.name} to {path.stem}{suffix}")


def hint(model: Any) -> Hint | None:
    """Return what a softmax at the end reveals, and what a scikit-learn wrapper knows."""
    last = last_step(model)
    if not isinstance(last, keras.Model):
        return sklearn.hint(last)
    count = _outputs(last)
    layers: Any = getattr(last, "layers", ())
    is_softmax = bool(layers) and (
        isinstance(layers[-1], keras.layers.Softmax)
        or getattr(layers[-1], "activation", None) is keras.activations.softmax
    )
    if not is_softmax or count is None or count < 2:
        return None
    return Hint(TargetType.BINARY if count == 2 else TargetType.MULTICLASS)


def check(model: Any, target: Target) -> None:
    """Refuse, at load, a model that does not take one matrix, or gives another number of values than needed."""
    matrix.check_target(target, "Keras")
    network = _network(model)
    if not isinstance(network, keras.Model):
        raise LoadError(f"{type(network).__name__} is no Keras model with predictions; write a score hook")
    inputs = _inputs(network)
    if len(inputs) > 1:
        names = fitted.some(each.name for each in inputs)
        raise LoadError(f"The model takes {len(inputs)} inputs ({names}), expected one matrix; write a score hook")
    for each in inputs:
        if len(each.shape) != 2 or str(each.dtype) == "string":
            raise LoadError(
                f"The model takes {each.dtype} of shape {tuple(each.shape)}, expected a matrix of numbers; "
                "write a score hook"
            )
    matrix.check_outputs(_outputs(network), target)


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the network, or the first step of its pipeline, takes."""
    if last_step(model) is model:
        matrix.check_columns(table.shape[1], _width(_network(model)))
    else:
        fitted.check(model, table)


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return what the network gives for a table, with the classes of a scikit-learn classifier."""
    network = _network(model)
    inputs = _inputs(network)
    given = matrix.prepare(model, table, _dtype(inputs))
    matrix.check_columns(given.shape[1], _width(network))
    # As fast as a bare call, and in inference mode; `predict` prepares a data set each time.
    blocks = [network.predict_on_batch(given[start : start + BLOCK]) for start in range(0, len(given), BLOCK)]
    values = matrix.settle(np.concatenate(blocks), given, target)
    classes = getattr(last_step(model), "classes_", None)
    return Scores(values, classes if target.is_classification else None)


def _network(model: Any) -> Any:
    """Return the Keras model in a pipeline or a scikit-learn wrapper."""
    last = last_step(model)
    return last if isinstance(last, keras.Model) else getattr(last, "model_", last)


def _inputs(network: Any) -> list[Any]:
    """Return the declared inputs; a network that is plain code has none."""
    return list(getattr(network, "inputs", None) or ())


def _width(network: Any) -> int | None:
    inputs = _inputs(network)
    return inputs[0].shape[1] if inputs else None


def _outputs(network: Any) -> int | None:
    """Return how many values the network gives per row, where it tells."""
    outputs: Any = getattr(network, "outputs", None) or ()
    return outputs[0].shape[1] if len(outputs) == 1 and len(outputs[0].shape) == 2 else None


def _dtype(inputs: list[Any]) -> Any:
    name = str(inputs[0].dtype) if inputs else "float32"
    # NumPy knows no short floats of other libraries; the network narrows the values itself.
    return np.float32 if name in {"bfloat16", "float16"} else np.dtype(name)
