"""Runtime parameters from a file, from the metadata and from variables, as a command hands them on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


CUSTOM = """
    from datarobot_drum import RuntimeParameters

    # Parameters are there before the file is imported.
    CREDENTIAL = RuntimeParameters.get("STORE") if RuntimeParameters.has("STORE") else None

    def score_unstructured(model, data, **kwargs):
        return f"{RuntimeParameters.get('RATE')!r} {CREDENTIAL!r}"
"""
METADATA = """
    name: m
    type: inference
    targetType: unstructured
    runtimeParameterDefinitions:
      - fieldName: RATE
        type: numeric
        defaultValue: 5
        maxValue: 100
      - fieldName: STORE
        type: credential
      - fieldName: CUSTOM_MODEL_WORKERS
        type: numeric
"""


@pytest.fixture
def folder(plant: Plant) -> Path:
    return plant("code", {"custom.py": CUSTOM, "model-metadata.yaml": METADATA})


def values(plant: Plant, text: str) -> Path:
    return plant("given", {"values.yaml": text}) / "values.yaml"


def test_user_code_gets_the_values_of_the_file(drum: Drum, plant: Plant, folder: Path) -> None:
    file = values(plant, "RATE: 7\nSTORE: {credentialType: basic, password: 007}\n")
    done = drum("score", "-cd", folder, "--input", "-", "--runtime-params-file", file)
    assert done.stdout.decode() == "7 {'credentialType': 'basic', 'password': '007'}", done.stderr


def test_the_file_may_be_named_by_a_variable(drum: Drum, plant: Plant, folder: Path) -> None:
    env = {"RUNTIME_PARAMS_FILE": str(values(plant, "RATE: 7\n"))}
    assert drum("score", "-cd", folder, "--input", "-", env=env).stdout == b"7 None"


def test_without_a_file_a_default_holds_until_a_variable_is_set(drum: Drum, folder: Path) -> None:
    env = {"MLOPS_RUNTIME_PARAM_RATE": json.dumps({"type": "numeric", "payload": 6})}
    found = [drum("score", "-cd", folder, "--input", "-", env=each).stdout for each in (None, env)]
    assert found == [b"5 None", b"6 None"]


def test_a_value_that_its_definition_forbids_ends_the_run_before_it_starts(
    drum: Drum, plant: Plant, folder: Path
) -> None:
    file = values(plant, "\nRATE: 101\n")
    done = drum("score", "-cd", folder, "--input", "-", "--runtime-params-file", file)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"drum: error: values.yaml:2: RATE: value is greater than 100, its maxValue\n"


def test_the_workers_in_the_file_beat_the_option(drum: Drum, plant: Plant, folder: Path) -> None:
    file = values(plant, "CUSTOM_MODEL_WORKERS: 500\n")
    done = drum("server", "-cd", folder, "--max-workers", "1", "--runtime-params-file", file)
    told = "drum: error: runtime parameter CUSTOM_MODEL_WORKERS: '500' is too many, expected at most 199\n"
    assert (done.returncode, done.stderr.decode()) == (2, told)
