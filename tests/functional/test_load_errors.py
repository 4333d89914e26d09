"""Artifacts that cannot, must not or barely be opened, made by real programs and scored by the real command."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


MODEL = DummyRegressor(strategy="constant", constant=2.0).fit([[0.0]], [0.0])
FAILED = "drum: error: An error occurred when loading your artifact: "
STEP = "fetch the file with git lfs pull"
HERE = sklearn.__version__

NOTEBOOK = """
import {library}
from sklearn.base import BaseEstimator, RegressorMixin

class Halves(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X.iloc[:, 0] / 2

{library}.dump(Halves().fit([[1]], [1]), open("model.pkl", "wb"))
"""


def score(drum: Drum, folder: Path, *words: str, **options: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    command = ("score", "--code-dir", folder, "--input", "-", "--target-type", "regression", *words)
    return drum(*command, stdin=b"a\n1\n", **options)


def failure(done: subprocess.CompletedProcess[bytes]) -> str:
    told = done.stderr.decode()
    assert (done.returncode, done.stdout, told.count("\n")) == (4, b"", 1), told
    return told


def run(folder: Path, program: str) -> None:
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)


def replaced(data: bytes, old: str, new: str) -> bytes:
    """Return a pickle in which one text is another."""
    before, after = (b"\x8c" + bytes([len(text)]) + text.encode() for text in (old, new))
    assert before in data
    return data.replace(before, after)


@pytest.mark.parametrize("library", ["pickle", "joblib"])
def test_a_class_of_a_script_is_told_with_where_to_put_it(drum: Drum, plant: Plant, library: str) -> None:
    folder = plant("code", {})
    run(folder, NOTEBOOK.format(library=library))
    assert failure(score(drum, folder)).startswith(
        f"{FAILED}model.pkl needs 'Halves', which was defined in the script or notebook that saved it: move it to"
    )


def test_a_model_of_another_version_is_scored_with_one_line_that_names_both(drum: Drum, plant: Plant) -> None:
    done = score(drum, plant("code", {"model.pkl": replaced(pickle.dumps(MODEL), HERE, "1.0.1")}))
    assert (done.returncode, done.stdout) == (0, b"Predictions\n2.0\n")
    assert done.stderr.decode() == (
        f"drum: model.pkl was made with scikit-learn 1.0.1, and scikit-learn {HERE} is installed: "
        'its predictions may differ; pip install "scikit-learn==1.0.1", or train it again\n'
    )


def test_a_model_of_another_version_that_fails_names_both_and_what_to_install(drum: Drum, plant: Plant) -> None:
    data = replaced(pickle.dumps([MODEL, LinearRegression]), HERE, "0.21.3")
    folder = plant("code", {"model.pkl": data.replace(b"\x8c\x10LinearRegression", b"\x8c\x10LinearRegresston")})
    told = failure(score(drum, folder))
    assert "needs 'LinearRegresston' of the module 'sklearn.linear_model._base', which scikit-learn " in told
    assert f"made with scikit-learn 0.21.3, and scikit-learn {HERE} is installed: pip install" in told


def test_a_file_that_git_did_not_fetch_is_told(drum: Drum, plant: Plant) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"
    told = failure(score(drum, plant("code", {"model.joblib": pointer})))
    assert told == f"{FAILED}model.joblib is a Git LFS pointer and not the file itself: {STEP}\n"


REFUSED = (
    "drum: error: --no-pickle refuses model.pkl: opening a .pkl file can run code that is in it; save the model in"
)


def test_a_pickle_is_refused_by_the_option_and_by_its_variable(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"model.pkl": pickle.dumps(MODEL)})
    assert failure(score(drum, folder, "--no-pickle")).startswith(REFUSED)
    assert failure(score(drum, folder, env={"NO_PICKLE": "true"})).startswith(REFUSED)


def test_a_pickle_is_refused_by_the_workers_of_a_server(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"model.pkl": pickle.dumps(MODEL)})
    words = ("--address", "127.0.0.1:0", "--max-workers", "2", "--no-pickle")
    assert failure(drum("server", "--code-dir", folder, *words)).startswith(REFUSED)
