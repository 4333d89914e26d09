"""`model-metadata.yaml`: what the author says of the model, as a frozen record."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from custom_model_runner import parsers
from custom_model_runner.data.target import Declared
from custom_model_runner.errors import LoadError
from custom_model_runner.target_type import TargetType

FILE_NAME = "model-metadata.yaml"
REQUIRED = ("name", "type", "targetType")
# The keys without a reader of ours are accepted and shown by /info/, not acted on.
KEYS = (
    *REQUIRED,
    "customPredictor",
    "description",
    "environmentID",
    "hyperparameters",
    "inferenceModel",
    "inputSchema",
    "lazyLoading",
    "majorVersion",
    "modelID",
    "runner",
    "runtimeParameterDefinitions",
    "trainingModel",
    "typeSchema",
    "userCredentialSpecifications",
    "validation",
)
INFERENCE_KEYS = (
    "targetName",
    "positiveClassLabel",
    "negativeClassLabel",
    "classLabels",
    "classLabelsFile",
    "predictionThreshold",
)
RUNNER_KEYS = ("threadSafe", "forkSafe")


@dataclass(frozen=True)
class Metadata:
    """The parsed file: the declared target, the runner's own switches, and everything as it was written."""

    declared: Declared = field(default_factory=Declared)
    is_thread_safe: bool | None = None
    is_fork_safe: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def read(folder: Path) -> Metadata | None:
    """Return the folder's metadata, or None where there is no such file."""
    path = folder / FILE_NAME
    misspelt = path.with_suffix(".yml")
    if misspelt.is_file() and not path.exists():
        raise LoadError(f"{misspelt.name} is not read: rename it to {FILE_NAME}")
    if not path.is_file():
        return None
    raw = _mapping(_load(path), "the file", KEYS)
    for key in REQUIRED:
        if not raw.get(key):
            raise LoadError(f"{FILE_NAME}: the key {key!r} is missing")
    runner = _mapping(raw.get("runner") or {}, "runner", RUNNER_KEYS)
    return Metadata(
        declared=_declared(raw, folder),
        is_thread_safe=_switch(runner, "threadSafe"),
        is_fork_safe=_switch(runner, "forkSafe"),
        raw=MappingProxyType(raw),
    )


def _load(path: Path) -> Any:
    try:
        # Every scalar stays the text that was written: the label 1.0 is not the label 1, nor `no` a truth value.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except UnicodeDecodeError as error:
        raise LoadError(f"{FILE_NAME} is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise LoadError(f"{FILE_NAME} is not YAML: {error}") from error


def _mapping(value: Any, where: str, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise LoadError(f"{FILE_NAME}: {where} must hold keys and values, found {type(value).__name__}")
    for key in value:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(keys)}"
            raise LoadError(f"{FILE_NAME}: unknown key {key!r} in {where}{hint}")
    return value


def _switch(section: Mapping[str, Any], key: str) -> bool | None:
    text = section.get(key)
    try:
        return None if text is None else parsers.truth(str(text))
    except ValueError as error:
        raise LoadError(f"{FILE_NAME}: runner.{key}: {error}") from error


def _declared(raw: Mapping[str, Any], folder: Path) -> Declared:
    try:
        kind = TargetType(raw["targetType"])
    except ValueError as error:
        known = ", ".join(TargetType)
        raise LoadError(f"{FILE_NAME}: targetType is {raw['targetType']!r}, expected one of: {known}") from error
    inference = _mapping(raw.get("inferenceModel") or {}, "inferenceModel", INFERENCE_KEYS)
    return Declared(
        kind,
        _text(inference, "positiveClassLabel"),
        _text(inference, "negativeClassLabel"),
        _class_labels(inference, folder),
        _text(inference, "targetName"),
    )


def _text(inference: Mapping[str, Any], key: str) -> str | None:
    value = inference.get(key)
    if value is not None and not isinstance(value, str):
        raise LoadError(f"{FILE_NAME}: inferenceModel.{key} must be a text, found {type(value).__name__}")
    return value


def _class_labels(inference: Mapping[str, Any], folder: Path) -> tuple[str, ...] | None:
    listed, file_name = inference.get("classLabels"), inference.get("classLabelsFile")
    if listed is not None and file_name is not None:
        raise LoadError(f"{FILE_NAME}: give inferenceModel.classLabels or classLabelsFile, not both")
    try:
        if file_name is not None:
            return parsers.labels_file(str(folder / file_name))
        if listed is not None and not isinstance(listed, list):
            raise ValueError(f"expected a list of labels, found {type(listed).__name__}")
        if listed is not None and not all(isinstance(label, str) for label in listed):
            raise ValueError("expected each class label to be a text")
        return parsers.labels(listed) if listed is not None else None
    except ValueError as error:
        raise LoadError(f"{FILE_NAME}: inferenceModel: {error}") from error
