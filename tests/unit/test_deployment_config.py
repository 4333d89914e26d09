"""The deployment config: what a file may say, and what is said of a file that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import deployment_config
from custom_model_runner.deployment_config import DeploymentConfig
from custom_model_runner.target_type import TargetType

from .folders import plant


def read(folder: Path, document: Any) -> DeploymentConfig:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return deployment_config.read(str(plant(folder, {"config.json": content}) / "config.json"))


def test_a_full_config_is_read_and_labels_stand_in_the_order_of_their_index(tmp_path: Path) -> None:
    target = {
        "name": "readmitted",
        "type": "Binary",
        "class_mapping": {"yes": 1, "no": 0},
        "prediction_threshold": 0.3,
        "missing_maps_to": None,
    }
    found = read(tmp_path, {"target": target, "prediction_api": {"version": 2}})
    assert found == DeploymentConfig(TargetType.BINARY, "readmitted", ("no", "yes"), 0.3)


@pytest.mark.parametrize("target", [{}, dict.fromkeys(("name", "type", "class_mapping", "prediction_threshold"))])
def test_everything_inside_the_target_may_be_left_out_or_null(tmp_path: Path, target: dict[str, None]) -> None:
    assert read(tmp_path, {"target": target}) == DeploymentConfig(None, None, None, 0.5)


def test_a_mark_of_the_byte_order_does_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, b'\xef\xbb\xbf{"target": {"name": "\xc3\xa9"}}').name == "é"


@pytest.mark.parametrize("name", ["textgeneration", "TextGeneration", "text_generation", "Text Generation"])
def test_a_type_is_known_in_the_spellings_of_platforms(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, {"target": {"type": name}}).type is TargetType.TEXT_GENERATION


@pytest.mark.parametrize("threshold", [0, 1, 0.999])
def test_a_threshold_may_be_every_number_from_0_to_1(tmp_path: Path, threshold: float) -> None:
    assert read(tmp_path, {"target": {"prediction_threshold": threshold}}).threshold == threshold


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"target":\n {"name": }}', r"it is not valid JSON \(line 2, column 11\)"),
        (b"", r"it is not valid JSON \(line 1, column 1\)"),
        (b'{"target": "\xff"}', "it is not valid JSON"),
        (b'{"target": {"name": "\\ud800"}}', "it is not valid JSON"),
        (b"[" * 200_000, "it is not valid JSON"),
    ],
)
def test_what_is_no_json_fails_to_parse(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^Failed to parse the deployment config '.*config.json': {words}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"name": "x"}, "expected a JSON object with an object 'target'"),
        ([], "expected a JSON object with an object 'target'"),
        ({"target": None}, "expected a JSON object with an object 'target'"),
        ({"target": {"name": 5}}, "target.name is int, expected text"),
        ({"target": {"type": "binry"}}, "target.type is 'binry', expected one of: binary, "),
        ({"target": {"type": 1}}, "target.type is int, expected one of: "),
        ({"target": {"class_mapping": ["a", "b"]}}, "target.class_mapping must be an object that gives each"),
        ({"target": {"class_mapping": {"a": "0"}}}, "target.class_mapping must be an object that gives each"),
        ({"target": {"class_mapping": {"a": True}}}, "target.class_mapping must be an object that gives each"),
        ({"target": {"class_mapping": {"a": 0, "b": 0}}}, "gives several class labels the same number"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"^Failed to parse the deployment config") as caught:
        read(tmp_path, document)
    assert words in str(caught.value)


@pytest.mark.parametrize("wrong", ["0.5", True, -0.1, 1.1, float("nan"), float("inf"), 10**400, []])
def test_a_threshold_is_no_other_number_and_nothing_else(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"target.prediction_threshold must be a number from 0 to 1$"):
        read(tmp_path, {"target": {"prediction_threshold": wrong}})


def test_a_file_that_is_not_there_is_no_json_problem(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file or directory"):
        deployment_config.read(str(tmp_path / "gone.json"))
