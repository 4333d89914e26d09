"""`model-metadata.yaml`: which keys there are and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from custom_model_runner import metadata
from custom_model_runner.data.target import Declared
from custom_model_runner.errors import LoadError
from custom_model_runner.target_type import TargetType

from .folders import plant


def read(folder: Path, more: str = "", kind: str = "regression") -> metadata.Metadata:
    text = f"name: ships\ntype: inference\ntargetType: {kind}\n{dedent(more)}"
    found = metadata.read(plant(folder, {"model-metadata.yaml": text}))
    assert found is not None
    return found


def test_a_folder_without_the_file_has_no_metadata(tmp_path: Path) -> None:
    assert metadata.read(tmp_path) is None


@pytest.mark.parametrize("kind", TargetType)
def test_the_target_type_is_declared(tmp_path: Path, kind: TargetType) -> None:
    assert read(tmp_path, kind=kind.value).declared == Declared(kind)


def test_the_labels_of_a_binary_target_are_declared(tmp_path: Path) -> None:
    more = """
        inferenceModel:
          targetName: sunk
          positiveClassLabel: 1.0
          negativeClassLabel: no
    """
    assert read(tmp_path, more, "binary").declared == Declared(TargetType.BINARY, "1.0", "no", None, "sunk")


def test_class_labels_are_declared_in_order_and_as_they_are_written(tmp_path: Path) -> None:
    more = """
        inferenceModel:
          classLabels:
            - yes
            - 01
            - 2020-01-01
    """
    assert read(tmp_path, more, "multiclass").declared.labels == ("yes", "01", "2020-01-01")


def test_class_labels_can_stand_in_a_file_of_the_folder(tmp_path: Path) -> None:
    plant(tmp_path, {"labels.txt": "b\na\n"})
    more = "inferenceModel:\n  classLabelsFile: labels.txt\n"
    assert read(tmp_path, more, "multiclass").declared.labels == ("b", "a")


@pytest.mark.parametrize("key", ["name", "type", "targetType"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    lines = [line for line in ("name: x", "type: inference", "targetType: binary") if not line.startswith(f"{key}:")]
    with pytest.raises(LoadError, match=f"the key '{key}' is missing"):
        metadata.read(plant(tmp_path, {"model-metadata.yaml": "\n".join(lines)}))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("targettype: binary", "unknown key 'targettype' in the file; did you mean 'targetType'"),
        ("colour: red", "unknown key 'colour' in the file; known: name, type"),
        ("inferenceModel:\n  targetNam: x", "unknown key 'targetNam' in inferenceModel; did you mean 'targetName'"),
        ("runner:\n  threads: 2", "unknown key 'threads' in runner"),
        ("inferenceModel:\n  - targetName", "inferenceModel must hold keys and values, found list"),
        ("inferenceModel:\n  classLabels: a", "expected a list of labels, found str"),
        ("inferenceModel:\n  classLabels:\n    - a", "found 1 class label"),
        ("inferenceModel:\n  classLabels:\n    - a\n    - b\n  classLabelsFile: x", "not both"),
        ("inferenceModel:\n  classLabelsFile: gone.txt", "cannot be read: No such file"),
        ("runner:\n  threadSafe: perhaps", "runner.threadSafe: 'perhaps' is not a truth value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        read(tmp_path, more, "multiclass")
    assert words in str(caught.value)


@pytest.mark.parametrize("key", ["positiveClassLabel", "negativeClassLabel", "targetName"])
def test_a_list_where_a_text_belongs_is_an_error_that_names_the_key(tmp_path: Path, key: str) -> None:
    with pytest.raises(LoadError, match=key):
        read(tmp_path, f"inferenceModel:\n  {key}:\n    - a\n", "binary")


def test_an_unknown_target_type_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"targetType is 'ordinal', expected one of: binary, regression"):
        read(tmp_path, kind="ordinal")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "must hold keys and values"),
        (b"- a\n- b\n", "must hold keys and values, found list"),
        (b"name: [", "is not YAML"),
        (b"name: caf\xe9", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_metadata_is_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        metadata.read(plant(tmp_path, {"model-metadata.yaml": content}))


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("Yes", True), ("false", False), ("off", False)])
def test_the_author_says_whether_the_model_is_thread_safe(tmp_path: Path, text: str, expected: bool) -> None:
    assert read(tmp_path, f"runner:\n  threadSafe: {text}").is_thread_safe is expected


def test_the_author_says_whether_the_model_is_fork_safe(tmp_path: Path) -> None:
    assert read(tmp_path, "runner:\n  forkSafe: true").is_fork_safe is True


def test_an_author_who_says_nothing_leaves_it_open(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.is_thread_safe, found.is_fork_safe) == (None, None)


@pytest.mark.parametrize(
    "more",
    [
        "environmentID: 5f0\nmodelID: 6a1\ndescription: of ships\nmajorVersion: false",
        "validation:\n  input: sample.csv",
        "trainingModel:\n  trainOnProject: 5f0",
        "hyperparameters:\n  - name: depth\n    type: int\n    min: 1\n    max: 5",
        "typeSchema:\n  input_requirements:\n    - field: sparse\n      condition: EQUALS\n      value: FORBIDDEN",
        "customPredictor:\n  anything: goes",
        "runtimeParameterDefinitions:\n  - fieldName: A\n    type: string",
        "userCredentialSpecifications:\n  - key: a\n    valueFrom: b",
        "inputSchema:\n  type: object\n  properties:\n    a:\n      type: string",
        "lazyLoading:\n  files: none",
        "inferenceModel:\n  predictionThreshold: 0.5",
    ],
)
def test_every_other_key_of_the_original_is_accepted_and_kept(tmp_path: Path, more: str) -> None:
    assert more.partition(":")[0] in read(tmp_path, more).raw
