"""The deployment config: a JSON file that says how the answers of a deployed model look."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_model_runner.target_type import TargetType

DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class DeploymentConfig:
    """What a deployment declares of its target; `labels` stand in the order of its class mapping."""

    type: TargetType | None = None
    name: str | None = None
    labels: tuple[str, ...] | None = None
    threshold: float = DEFAULT_THRESHOLD


def read(file: str) -> DeploymentConfig:
    """Return what a file declares; ValueError says what is wrong with it."""
    try:
        return _of(json.loads(Path(file).read_bytes()))
    except OSError as error:
        raise ValueError(f"the deployment config {file!r} cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"Failed to parse the deployment config {file!r}: it is not valid JSON{place}") from error
    except ValueError as error:
        raise ValueError(f"Failed to parse the deployment config {file!r}: {error}") from error


def _of(document: Any) -> DeploymentConfig:
    target = document.get("target") if isinstance(document, dict) else None
    if not isinstance(target, dict):
        raise ValueError("expected a JSON object with an object 'target'")
    name = target.get("name")
    if not isinstance(name, str | None):
        raise ValueError(f"target.name is {type(name).__name__}, expected text")
    labels = _labels(target.get("class_mapping"))
    # Half a surrogate pair can be escaped in JSON, and in no answer.
    "".join([name or "", *(labels or ())]).encode()
    return DeploymentConfig(_type(target.get("type")), name, labels, _threshold(target.get("prediction_threshold")))


def _type(name: Any) -> TargetType | None:
    """Return a target type; platforms write it with capitals and in several words."""
    if name is None:
        return None
    known = {kind.value: kind for kind in TargetType}
    word = "".join(filter(str.isalpha, name)).lower() if isinstance(name, str) else None
    if word not in known:
        shown = repr(name) if isinstance(name, str) else type(name).__name__
        raise ValueError(f"target.type is {shown}, expected one of: {', '.join(known)}")
    return known[word]


def _labels(mapping: Any) -> tuple[str, ...] | None:
    """Return the labels of a class mapping, which gives each label its index, in the order of the indices."""
    if mapping is None or mapping == {}:
        return None
    if not isinstance(mapping, dict) or not all(type(index) is int for index in mapping.values()):
        raise ValueError("target.class_mapping must be an object that gives each class label a whole number")
    if len(set(mapping.values())) < len(mapping):
        raise ValueError("target.class_mapping gives several class labels the same number")
    return tuple(sorted(mapping, key=lambda label: mapping[label]))


def _threshold(value: Any) -> float:
    if value is None:
        return DEFAULT_THRESHOLD
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:
        raise ValueError("target.prediction_threshold must be a number from 0 to 1")
    return float(value)
