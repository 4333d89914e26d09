"""`model-metadata.yaml`: which keys there are and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from custom_model_runner import metadata
from custom_model_runner.data.target import Declared
from custom_model_runner.errors import LoadError
from custom_model_runner.target_type import TargetType

from ..folders import plant


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


def test_a_file_of_class_labels_beside_the_metadata_comes_before_one_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = plant(tmp_path / "elsewhere", {"labels.txt": "c\nd\n", "more.txt": "e\nf\n"})
    folder = plant(tmp_path / "model", {"labels.txt": "b\na\n"})
    monkeypatch.chdir(elsewhere)
    found = [
        read(folder, f"inferenceModel:\n  classLabelsFile: {name}\n", "multiclass").declared.labels
        for name in ("labels.txt", "more.txt")
    ]
    assert found == [("b", "a"), ("e", "f")]


def test_labels_that_the_target_type_does_not_have_do_not_count(tmp_path: Path) -> None:
    more = "inferenceModel:\n  positiveClassLabel: a\n  classLabels: [b, c]\n"
    assert read(tmp_path, more, "regression").declared == Declared(TargetType.REGRESSION)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("  positiveClassLabel: a", "positiveClassLabel and negativeClassLabel go together; found only one of them"),
        ("  positiveClassLabel: a\n  negativeClassLabel: a", "negativeClassLabel are the same: 'a'"),
        ("  classLabels: [a, b]", "a binary target is given by positiveClassLabel and negativeClassLabel"),
    ],
)
def test_labels_that_contradict_the_binary_target_are_an_error(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        read(tmp_path, f"inferenceModel:\n{more}", "binary")
    assert str(caught.value).startswith("model-metadata.yaml:4: inferenceModel: ")
    assert words in str(caught.value)


def test_values_have_the_type_of_their_key(tmp_path: Path) -> None:
    raw = read(tmp_path, "majorVersion: true\ninferenceModel:\n  predictionThreshold: 0.5\n").raw
    assert (raw["majorVersion"], raw["inferenceModel"]["predictionThreshold"], raw["name"]) == (True, 0.5, "ships")


@pytest.mark.parametrize("key", ["name", "type", "targetType"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    lines = [line for line in ("name: x", "type: inference", "targetType: binary") if not line.startswith(f"{key}:")]
    with pytest.raises(LoadError, match=f"the key '{key}' is missing"):
        metadata.read(plant(tmp_path, {"model-metadata.yaml": "\n".join(lines)}))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("targettype: binary", "model-metadata.yaml:4: unknown key 'targettype'; did you mean 'targetType'?"),
        ("colour: red", "model-metadata.yaml:4: unknown key 'colour'; known: name, type"),
        (
            "inferenceModel:\n  targetNam: x",
            "yaml:5: inferenceModel: unknown key 'targetNam'; did you mean 'targetName'?",
        ),
        ("runner:\n  threads: 2", "yaml:5: runner: unknown key 'threads'; did you mean 'threadSafe'?"),
        ("inferenceModel:\n  - targetName", "yaml:4: inferenceModel: expected keys and values, found a list"),
        ("inferenceModel:\n  classLabels: a", "yaml:5: inferenceModel.classLabels: expected a list, found 'a'"),
        ("inferenceModel:\n  classLabels:\n    - a", "yaml:5: inferenceModel.classLabels: found 1 class label"),
        (
            "inferenceModel:\n  classLabels:\n    - a\n    - b\n  classLabelsFile: x",
            "yaml:4: inferenceModel: give classLabels or classLabelsFile, not both",
        ),
        ("inferenceModel:\n  classLabelsFile: gone.txt", "cannot be read: No such file"),
        ("majorVersion: perhaps", "yaml:4: majorVersion: 'perhaps' is not a truth value"),
        ("description: [a]", "yaml:4: description: expected a text, found a list"),
        ("validation:\n  targetName: x", "yaml:4: validation: the key 'input' is missing"),
        ("trainingModel:\n  project: x", "yaml:5: trainingModel: unknown key 'project'"),
        (
            "inferenceModel:\n  predictionThreshold: 1.5",
            "yaml:5: inferenceModel.predictionThreshold: found '1.5', expected a number from 0 to 1",
        ),
        ("name: again", "yaml:4: the key 'name' is given twice, first in line 1"),
        ("runner:\n  threadSafe: perhaps", "yaml:5: runner.threadSafe: 'perhaps' is not a truth value"),
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
    with pytest.raises(LoadError, match=r"targetType: found 'ordinal', expected one of: binary, regression"):
        read(tmp_path, kind="ordinal")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected keys and values, found nothing"),
        (b"- a\n- b\n", "expected keys and values, found a list"),
        (b"name: [", "is not YAML"),
        (b"name: caf\xe9", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_metadata_is_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        metadata.read(plant(tmp_path, {"model-metadata.yaml": content}))


def test_the_hyperparameters_have_their_defaults(tmp_path: Path) -> None:
    more = "hyperparameters:\n  - name: depth\n    type: int\n    min: 1\n    max: 5\n    default: 2\n"
    assert read(tmp_path, more).hyperparameters == {"depth": 2}


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
