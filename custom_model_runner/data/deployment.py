"""Predictions in the shape of a deployment's answers: one object for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data import cells, labels
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.target import DEFAULT_COLUMN, Target
from custom_model_runner.deployment_config import DeploymentConfig
from custom_model_runner.errors import ContractError, UsageError
from custom_model_runner.target_type import TargetType

ANOMALY = "Anomaly Score"
Writer = Callable[[Predictions], bytes]


@dataclass(frozen=True)
class _Value:
    """One entry of `predictionValues`: the label that is shown, and the column of the predictions that it shows."""

    label: str
    column: str


@dataclass(frozen=True)
class _Shape:
    """What is the same in all answers of a server."""

    type: TargetType
    values: tuple[_Value, ...]
    threshold: float

    @property
    def shows_threshold(self) -> bool:
        """Say whether a threshold makes the prediction of a row."""
        return self.type in (TargetType.BINARY, TargetType.MULTILABEL)


def writer(config: DeploymentConfig, target: Target) -> Writer:
    """Return the function that writes answers; a config that contradicts the model is a usage error."""
    if config.type not in (None, target.type):
        raise UsageError(
            f"The target type in the deployment config ({config.type}) and that of the model ({target.type}) differ"
        )
    shape = _Shape(target.type, _values(config, target), config.threshold)
    return lambda predictions: _write(predictions, shape)


def _values(config: DeploymentConfig, target: Target) -> tuple[_Value, ...]:
    if not target.is_classification:
        if config.labels:
            raise UsageError(
                f"The deployment config has a class_mapping, but a model of target type '{target.type}' has no labels"
            )
        name = config.name or target.name or DEFAULT_COLUMN
        return (_Value(ANOMALY if target.type is TargetType.ANOMALY else name, DEFAULT_COLUMN),)
    shown = config.labels or target.labels
    try:
        columns = labels.align(shown, target.labels)
    except ContractError as error:
        raise UsageError(
            f"The class_mapping of the deployment config names the labels {sorted(shown)}, "
            f"but those of the model are {sorted(target.labels)}"
        ) from error
    values = tuple(_Value(label, column) for label, column in zip(shown, columns, strict=True))
    # Of the two labels of a binary target the second one is positive, and is shown first.
    return values[::-1] if target.type is TargetType.BINARY else values


def _write(predictions: Predictions, shape: _Shape) -> bytes:
    """Fill one template per row: far cheaper than objects in objects."""
    values = predictions.values[:, [predictions.columns.index(value.column) for value in shape.values]]
    texts = [cells.json_texts(column.tolist()) for column in values.T]
    columns: list[Sequence[Any]] = [range(len(values)), _outcomes(values, shape) or texts[0], *texts]
    if predictions.extra is not None:
        columns += [cells.json_texts(cells.values(column)) for _, column in predictions.extra.items()]
    template = _template(shape, predictions.extra)
    return b'{"data":[' + b",".join([template % row for row in zip(*columns, strict=True)]) + b"]}"


def _template(shape: _Shape, extra: pd.DataFrame | None) -> bytes:
    """Return the JSON of a row, with a place for its number, its prediction, each value and each extra value."""
    text = b'{"rowId":%d,"prediction":%b'
    if shape.shows_threshold:
        text += b',"predictionThreshold":' + cells.json_text(shape.threshold)
    entries = [b'{"label":' + cells.json_constant(value.label) + b',"value":%b}' for value in shape.values]
    text += b',"predictionValues":[' + b",".join(entries) + b"]"
    if extra is not None:
        fields = [cells.json_constant(name) + b":%b" for name in _names(extra)]
        text += b',"extraModelOutput":{' + b",".join(fields) + b"}"
    return text + b"}"


def _outcomes(values: np.ndarray[Any, Any], shape: _Shape) -> list[bytes] | None:
    """Return what is predicted for each row, as JSON; None where it is the value itself."""
    shown = [cells.json_text(value.label) for value in shape.values]
    if shape.type is TargetType.BINARY:
        return [shown[0] if is_over else shown[1] for is_over in (values[:, 0] > shape.threshold).tolist()]
    if shape.type is TargetType.MULTICLASS:
        return [shown[index] for index in values.argmax(axis=1).tolist()]
    if shape.type is TargetType.MULTILABEL:
        rows = (values > shape.threshold).tolist()
        return [b"[" + b",".join(compress(shown, is_over)) + b"]" for is_over in rows]
    return None


def _names(extra: pd.DataFrame) -> list[str]:
    names = [str(name) for name in extra.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ContractError(f"Expected extra columns with different names, but found {repeated} more than once")
    return names
