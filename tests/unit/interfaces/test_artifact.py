"""A folder with one artifact and no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from custom_model_runner import predictor
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import LoadError, UsageError

from ..folders import pickled, plant

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
CSV = Payload(FRAME.to_csv(index=False).encode(), "text/csv")
REGRESSION = LinearRegression().fit(FRAME, [0.5, 1.0, 2.5, 3.0])
BINARY = LogisticRegression().fit(FRAME, ["no", "no", "yes", "yes"])
SCALER = StandardScaler().fit(FRAME)
MULTICLASS = LogisticRegression().fit(FRAME, ["a", "b", "c", "c"])


def target_of(folder: Path, model: Any, **options: Any) -> tuple[str, tuple[str, ...], str | None]:
    with predictor.load(plant(folder, {"model.pkl": pickled(model)}), **options) as loaded:
        return loaded.info.target.type.value, loaded.info.target.labels, loaded.info.notice


@pytest.mark.parametrize("suffix", [".pkl", ".joblib", ".PKL"])
def test_an_artifact_predicts_what_its_model_predicts(tmp_path: Path, suffix: str) -> None:
    joblib.dump(REGRESSION, tmp_path / f"model{suffix}") if suffix == ".joblib" else plant(
        tmp_path, {f"model{suffix}": pickled(REGRESSION)}
    )
    with predictor.load(tmp_path) as loaded:
        assert loaded.score(CSV).values[:, 0].tolist() == REGRESSION.predict(FRAME).tolist()


@pytest.mark.parametrize(
    ("model", "kind", "labels"),
    [
        (REGRESSION, "regression", ()),
        (BINARY, "binary", ("no", "yes")),
        (MULTICLASS, "multiclass", ("a", "b", "c")),
        (IsolationForest(n_estimators=2).fit(FRAME), "anomaly", ()),
        (SCALER, "transform", ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_target_is_inferred_from_the_model_with_a_notice(
    tmp_path: Path, model: Any, kind: str, labels: tuple[str, ...]
) -> None:
    found, found_labels, notice = target_of(tmp_path, model)
    assert (found, found_labels) == (kind, labels)
    assert str(notice).startswith(f"no target type given: {kind} inferred from the model")


def test_a_transformer_transforms_under_the_names_that_it_tells(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": pickled(SCALER)}), target_type="transform") as loaded:
        assert loaded.info.framework == "scikit-learn"
        result = loaded.transform(CSV).table
    assert (list(result.columns), result.to_numpy().tolist()) == (["a", "b"], SCALER.transform(FRAME).tolist())


def test_a_transformer_may_be_of_a_class_that_stands_beside_it(tmp_path: Path) -> None:
    module = "class Doubler:\n    def transform(self, table):\n        return table.to_numpy() * 2\n"
    artifact = b"\x80\x04cdoubler\nDoubler\n)\x81."
    folder = plant(tmp_path, {"doubler.py": module, "model.pkl": artifact})
    with predictor.load(folder, target_type="transform") as loaded:
        assert loaded.transform(CSV).table.to_numpy().tolist() == (FRAME.to_numpy() * 2).tolist()


def test_the_metadata_names_the_transform_target(tmp_path: Path) -> None:
    plant(tmp_path, {"model-metadata.yaml": "name: x\ntype: inference\ntargetType: transform\n"})
    assert target_of(tmp_path, SCALER) == ("transform", (), None)


def test_a_target_that_is_given_needs_no_notice(tmp_path: Path) -> None:
    assert target_of(tmp_path, REGRESSION, target_type="anomaly") == ("anomaly", (), None)


def test_the_classes_of_the_model_are_matched_with_the_labels_that_are_given(tmp_path: Path) -> None:
    plant(tmp_path, {"model.pkl": pickled(BINARY)})
    with predictor.load(tmp_path, positive_class_label="NO", negative_class_label="YES") as loaded:
        result = loaded.score(CSV)
    assert (result.columns, result.values.tolist()) == (("NO", "YES"), BINARY.predict_proba(FRAME).tolist())


def test_the_metadata_names_target_and_labels(tmp_path: Path) -> None:
    text = "name: x\ntype: inference\ntargetType: binary\ninferenceModel:\n"
    text += "  positiveClassLabel: no\n  negativeClassLabel: yes\n"
    plant(tmp_path, {"model-metadata.yaml": text})
    assert target_of(tmp_path, BINARY) == ("binary", ("yes", "no"), None)


def test_an_option_that_contradicts_the_metadata_is_a_usage_error(tmp_path: Path) -> None:
    plant(tmp_path, {"model-metadata.yaml": "name: x\ntype: inference\ntargetType: binary\n"})
    with pytest.raises(UsageError, match="differ"):
        target_of(tmp_path, REGRESSION, target_type="regression")


def test_a_lone_artifact_is_thread_and_fork_safe(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": pickled(REGRESSION)})) as loaded:
        assert (loaded.model.traits.is_thread_safe, loaded.model.traits.is_fork_safe) == (True, True)


def test_the_framework_is_named(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": pickled(REGRESSION)})) as loaded:
        assert loaded.info.framework == "scikit-learn"


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        (
            {"a.pkl": b"", "b.joblib": b""},
            {},
            "Multiple serialized model files found: a.pkl, b.joblib; keep one, or choose in a load_model hook",
        ),
        ({"deep/a.pkl": b""}, {}, "Could not find a model artifact file .*; deep/a.pkl is in a subfolder: move it up"),
        ({"notes.txt": b""}, {"language": "python"}, "add one, or write a load_model hook"),
        ({"train.py": b""}, {"language": "python"}, "make it first: python .*train.py"),
        ({"model.pkl": b"not a pickle"}, {}, "An error occurred when loading your artifact: model.pkl is text"),
        ({"model.pkl": pickled({"a": 1})}, {}, "Could not find any framework to handle loaded model.*found a dict"),
        ({"model.pkl": pickled(LinearRegression())}, {}, "LinearRegression was never fitted: fit it before it is"),
        ({"model.pkl": pickled(SCALER)}, {"target_type": "regression"}, "StandardScaler has no predict"),
        ({"model.pkl": pickled(REGRESSION)}, {"target_type": "transform"}, "found LinearRegression without a trans"),
        ({"model.pkl": pickled({})}, {"target_type": "transform"}, "found dict without a transform method"),
        ({"model.pkl": pickled(LogisticRegression())}, {}, "LogisticRegression was never fitted: fit it before it is"),
        ({"model.pkl": pickled(REGRESSION)}, {"target_type": "unstructured"}, "needs a score_unstructured hook"),
        (
            {"model.pkl": pickled(REGRESSION)},
            {"positive_class_label": "a", "negative_class_label": "b"},
            "LinearRegression has no predict_proba, which the target type 'binary' needs",
        ),
        (
            {"model.pkl": pickled(REGRESSION)},
            {"target_type": "textgeneration", "target_name": "reply"},
            "scikit-learn models do not predict the target type 'textgeneration'",
        ),
    ],
)
def test_a_folder_that_cannot_work_is_a_load_error(
    tmp_path: Path, files: dict[str, str | bytes], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(LoadError, match=words):
        predictor.load(plant(tmp_path, files), **options)


def test_a_pickle_that_calls_sys_exit_is_a_load_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"model.pkl: SystemExit\(3\)"):
        predictor.load(plant(tmp_path, {"model.pkl": b"cbuiltins\nexit\n(I3\ntR."}))


def test_text_of_a_pickle_from_python_2_is_read_as_latin_1(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="found a str of length 4,"):
        predictor.load(plant(tmp_path, {"model.pkl": b"\x80\x02U\x04caf\xe9q\x00."}))
