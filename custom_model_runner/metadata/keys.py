"""Every key of `model-metadata.yaml` and the kind of its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_model_runner import parsers
from custom_model_runner.metadata import hyperparameters, input_schema, parameters, type_schema
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import Key, Kind, anything, list_of, mapping, number, one_of, text, truth
from custom_model_runner.target_type import TargetType


def _labels(entry: Entry) -> list[str]:
    try:
        return list(parsers.labels(list_of(text)(entry)))
    except ValueError as error:
        raise entry.fault(str(error)) from error


def _share(entry: Entry) -> int | float:
    value = number(entry)
    if not 0 <= value <= 1:
        raise entry.fault(f"found {entry.found}, expected a number from 0 to 1")
    return value


# Those without a reader of ours are accepted and shown by /info/, not acted on.
KEYS: Mapping[str, Key] = {
    "name": Key(text, required=True),
    "type": Key(text, required=True),
    "targetType": Key(one_of(*TargetType), required=True),
    "customPredictor": Key(anything),
    "description": Key(text),
    "environmentID": Key(text),
    "hyperparameters": Key(hyperparameters.check),
    "inferenceModel": Key(
        mapping(
            {
                "targetName": Key(text),
                "positiveClassLabel": Key(text),
                "negativeClassLabel": Key(text),
                "classLabels": Key(_labels),
                "classLabelsFile": Key(text),
                "predictionThreshold": Key(_share),
            }
        )
    ),
    "inputSchema": Key(input_schema.check),
    "lazyLoading": Key(anything),
    "majorVersion": Key(truth),
    "modelID": Key(text),
    "runner": Key(mapping({"threadSafe": Key(truth), "forkSafe": Key(truth)})),
    "runtimeParameterDefinitions": Key(parameters.check),
    "trainingModel": Key(mapping({"trainOnProject": Key(text)})),
    "typeSchema": Key(type_schema.check),
    "userCredentialSpecifications": Key(anything),
    "validation": Key(mapping({"input": Key(text, required=True), "targetName": Key(text)})),
}

METADATA: Kind[dict[str, Any]] = mapping(KEYS)
