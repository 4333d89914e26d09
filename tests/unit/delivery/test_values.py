"""Values of runtime parameters become variables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import parameters
from custom_model_runner.delivery.values import variables
from custom_model_runner.errors import UsageError

from ..folders import plant

HEAD = "name: m\ntype: inference\ntargetType: regression\n"
DEFINED = (
    HEAD
    + """\
runtimeParameterDefinitions:
  - fieldName: RATE
    type: numeric
    defaultValue: 5
    maxValue: 100
  - fieldName: Mode
    type: string
"""
)
REQUIRED = DEFINED + "    allowEmpty: false\n"


def deliver(folder: Path, metadata: str | None, values: str | None, **environ: str) -> dict[str, Any]:
    """Return what the variables hold, by the name of the parameter."""
    plant(folder, {"values.yaml": values or "", **({"model-metadata.yaml": metadata} if metadata else {})})
    path = None if values is None else str(folder / "values.yaml")
    found = variables(folder, path, {parameters.PREFIX + name: text for name, text in environ.items()})
    return {name.removeprefix(parameters.PREFIX): json.loads(text) for name, text in found.items()}


def failure(folder: Path, metadata: str | None, values: str) -> tuple[type[Exception], str]:
    with pytest.raises(UsageError) as caught:
        deliver(folder, metadata, values)
    return type(caught.value), str(caught.value)


def test_a_value_of_the_file_beats_variable_and_default(tmp_path: Path) -> None:
    found = deliver(tmp_path, DEFINED, "RATE: 7\nMode: fast\n", RATE='{"type": "numeric", "payload": 1}')
    assert found == {"RATE": {"type": "numeric", "payload": 7}, "Mode": {"type": "string", "payload": "fast"}}


def test_the_file_may_be_a_pipe(tmp_path: Path) -> None:
    plant(tmp_path, {"model-metadata.yaml": DEFINED})
    reader, writer = os.pipe()
    os.write(writer, b"RATE: 7\n")
    os.close(writer)
    try:
        found = variables(tmp_path, f"/dev/fd/{reader}", {})
    finally:
        os.close(reader)
    assert json.loads(found[parameters.PREFIX + "RATE"])["payload"] == 7


def test_what_the_file_leaves_out_has_its_default_or_is_null(tmp_path: Path) -> None:
    assert deliver(tmp_path, DEFINED, "Mode:\n") == {
        "RATE": {"type": "numeric", "payload": 5},
        "Mode": {"type": "string", "payload": None},
    }


@pytest.mark.parametrize("values", [None, "Mode: x\n"])
def test_a_variable_that_is_set_beats_the_default(tmp_path: Path, values: str | None) -> None:
    assert "RATE" not in deliver(tmp_path, DEFINED, values, RATE='{"type": "numeric", "payload": 1}')


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert deliver(tmp_path, DEFINED, None, RATE="")["RATE"]["payload"] == 5


def test_without_a_file_the_defaults_are_delivered_and_nothing_else(tmp_path: Path) -> None:
    assert deliver(tmp_path, DEFINED, None) == {"RATE": {"type": "numeric", "payload": 5}}


def test_what_is_delivered_is_what_user_code_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in deliver(tmp_path, DEFINED, "Mode: 'fast: \"er\"'\n").items():
        monkeypatch.setenv(parameters.PREFIX + name, json.dumps(value))
    assert (parameters.RuntimeParameters.get("RATE"), parameters.RuntimeParameters.get("Mode")) == (5, 'fast: "er"')


@pytest.mark.parametrize("values", [None, "RATE: 1\n", "Mode:\n", "Mode: ''\n"])
def test_a_parameter_that_must_not_be_empty_has_to_be_given(tmp_path: Path, values: str | None) -> None:
    with pytest.raises(parameters.ErrorLoadingRuntimeParameter, match="'Mode' is empty, which allowEmpty forbids"):
        deliver(tmp_path, REQUIRED, values)


def test_an_empty_parameter_names_its_definition_and_the_remedy(tmp_path: Path) -> None:
    _, words = failure(tmp_path, REQUIRED, "RATE: 1\n")
    assert words.startswith("model-metadata.yaml:9: ")
    assert words.endswith("give it in the file of --runtime-params-file, or set MLOPS_RUNTIME_PARAM_Mode")


@pytest.mark.parametrize("variable", ['{"type": "string", "payload": "x"}'])
def test_a_parameter_that_must_not_be_empty_may_come_from_its_variable(tmp_path: Path, variable: str) -> None:
    assert "Mode" not in deliver(tmp_path, REQUIRED, None, Mode=variable)


def test_a_name_that_nobody_defines_is_told_and_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "rate" not in deliver(tmp_path, DEFINED, "RATE: 1\nrate: 2\n")
    assert capsys.readouterr().err == (
        "drum: values.yaml:2: the runtime parameter 'rate' is not defined in model-metadata.yaml and is ignored; "
        "did you mean 'RATE'?\n"
    )


@pytest.mark.parametrize("metadata", [None, HEAD, "{", HEAD + "runtimeParameterDefinitions: [x]"])
def test_without_a_file_what_defines_nothing_delivers_nothing(tmp_path: Path, metadata: str | None) -> None:
    assert deliver(tmp_path, metadata, None) == {}


def test_the_file_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(parameters.InvalidInputFilePath, match="Empty runtime parameter values file path!"):
        variables(plant(tmp_path, {"model-metadata.yaml": DEFINED}), "", {})


def test_the_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(parameters.InvalidInputFilePath, match=r"gone\.yaml' is not there"):
        variables(plant(tmp_path, {"model-metadata.yaml": DEFINED}), str(tmp_path / "gone.yaml"), {})


@pytest.mark.parametrize(
    ("metadata", "values", "kind", "words"),
    [
        (None, "A: 1", parameters.InvalidInputFilePath, "model-metadata.yaml must exist to use runtime parameters"),
        (HEAD, "A: 1", parameters.InvalidYamlContent, "must contain at least one parameter definition"),
        (HEAD + "runtimeParameterDefinitions: []", "A: 1", parameters.InvalidYamlContent, "must contain at least one"),
        (DEFINED, "", parameters.InvalidEmptyYamlContent, "YAML file is empty!"),
        (DEFINED, "# nothing\n", parameters.InvalidEmptyYamlContent, "YAML file is empty!"),
        (DEFINED, "{", parameters.InvalidYamlContent, "values.yaml:1: is not YAML"),
        (DEFINED, "- RATE", parameters.InvalidYamlContent, "values.yaml:1: expected keys and values, found a list"),
        (DEFINED, "RATE: 1\nRATE: 2\n", parameters.InvalidYamlContent, "the key 'RATE' is given twice"),
        (DEFINED, "\nRATE: 101", parameters.ErrorLoadingRuntimeParameter, "values.yaml:2: RATE: value is greater than"),
        (DEFINED, "RATE: x", parameters.ErrorLoadingRuntimeParameter, "values.yaml:1: RATE: 'x' is not a number"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_usage_error(
    tmp_path: Path, metadata: str | None, values: str, kind: type[Exception], words: str
) -> None:
    found, told = failure(tmp_path, metadata, values)
    assert found is kind
    assert words in told
