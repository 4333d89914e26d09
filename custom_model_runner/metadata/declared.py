"""What `model-metadata.yaml` declares of the target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom_model_runner import parsers
from custom_model_runner.data.target import Declared
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import members
from custom_model_runner.target_type import CLASSIFICATION, TargetType


def read(root: Entry, raw: Mapping[str, Any], folder: Path) -> Declared:
    """Return the target's type, labels and name; labels that its type does not have do not count."""
    kind = TargetType(raw["targetType"])
    inference = raw.get("inferenceModel", {})
    # Each rule below speaks of this section only where it is there.
    place = members(root).get("inferenceModel", root)
    positive, negative, labels = None, None, None
    if kind is TargetType.BINARY:
        positive, negative = _pair(place, inference)
    elif kind in CLASSIFICATION:
        labels = _labels(place, inference, folder)
    return Declared(kind, positive, negative, labels, inference.get("targetName"))


def _pair(place: Entry, inference: Mapping[str, Any]) -> tuple[str | None, str | None]:
    positive, negative = inference.get("positiveClassLabel"), inference.get("negativeClassLabel")
    if (positive is None) != (negative is None):
        raise place.fault("positiveClassLabel and negativeClassLabel go together; found only one of them")
    if positive is not None and positive == negative:
        raise place.fault(f"positiveClassLabel and negativeClassLabel are the same: {positive!r}")
    if positive is None and ("classLabels" in inference or "classLabelsFile" in inference):
        raise place.fault("a binary target is given by positiveClassLabel and negativeClassLabel, found class labels")
    return positive, negative


def _labels(place: Entry, inference: Mapping[str, Any], folder: Path) -> tuple[str, ...] | None:
    listed, file_name = inference.get("classLabels"), inference.get("classLabelsFile")
    if listed is not None and file_name is not None:
        raise place.fault("give classLabels or classLabelsFile, not both")
    if file_name is None:
        return tuple(listed) if listed is not None else None
    beside, elsewhere = folder / file_name, Path(file_name)
    try:
        return parsers.labels_file(str(elsewhere if elsewhere.is_file() and not beside.is_file() else beside))
    except ValueError as error:
        raise members(place)["classLabelsFile"].fault(str(error)) from error
