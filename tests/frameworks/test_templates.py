"""A template of each framework does what its README says, and is right about most rows that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split

from .. import agreement, templates
from .table import VARIABLES


@dataclass(frozen=True)
class Subject:
    """A template, the data that its train.py splits, and the words for the data's classes, if it has any."""

    template: str
    data: Callable[..., Any]
    labels: tuple[str, ...] = ()


SUBJECTS = {
    "catboost": Subject("python3_catboost", load_diabetes),
    "keras": Subject("python3_keras", load_diabetes),
    "lightgbm": Subject("python3_lightgbm", load_wine, ("first", "second", "third")),
    "onnx": Subject("python3_onnx", load_breast_cancer, ("malignant", "benign")),
    "scikit-learn": Subject("python3_sklearn", load_diabetes),
    "torch": Subject("python3_pytorch", load_iris, ("setosa", "versicolor", "virginica")),
    "xgboost": Subject("python3_xgboost", load_breast_cancer, ("malignant", "benign")),
}


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    framework = request.config.getoption("--framework")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.get(framework, {}).items():
            patch.setenv(name, value)
        yield SUBJECTS[framework]


@pytest.fixture(scope="module")
def workshop(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return templates.build([subject.template], tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def predictions(subject: Subject, workshop: Path) -> pd.DataFrame:
    command, *_ = templates.documented(subject.template, "drum score")
    columns = subject.labels or ("Predictions",)
    found = templates.read_batch(templates.run(command, workshop), pd.DataFrame(columns=columns, dtype=float))
    assert isinstance(found, pd.DataFrame)
    return found


def test_a_documented_batch_is_right_about_most_rows_that_were_not_trained_on(
    subject: Subject, predictions: pd.DataFrame
) -> None:
    truth = train_test_split(subject.data().target, test_size=20, random_state=0)[1]
    if subject.labels:
        assert set(predictions.columns) == set(subject.labels)
        assert accuracy_score([subject.labels[number] for number in truth], predictions.idxmax(axis=1)) >= 0.9
    else:
        assert r2_score(truth, predictions["Predictions"]) >= 0.3


@pytest.fixture(scope="module")
def server(subject: Subject, workshop: Path) -> Iterator[templates.Server]:
    with templates.serving(subject.template, workshop) as server:
        yield server


def test_a_documented_request_gets_what_the_batch_gives(
    subject: Subject, workshop: Path, server: templates.Server, predictions: pd.DataFrame
) -> None:
    command, *_ = templates.documented(subject.template, "curl")
    response = server.send(command, workshop)
    assert response.status_code == 200, response.text
    templates.assert_same(templates.read_response(response, predictions), predictions)


# What this process must allow since every warning is an error in it: Keras hands arrays of torch to numpy the old way.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_batch_http_and_process_agree(
    subject: Subject, workshop: Path, server: templates.Server, tmp_path: Path
) -> None:
    agreement.check(subject.template, workshop, server, tmp_path)


def test_every_template_beyond_the_core_is_tried() -> None:
    assert {subject.template for subject in SUBJECTS.values()} >= templates.BEYOND_THE_CORE
