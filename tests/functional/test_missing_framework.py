"""A folder whose framework is not installed, in an environment with the core alone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from custom_model_runner import plugins

from .conftest import Drum, Plant

# One suffix of each extra.
SUFFIXES = {line.extra: (suffix, line) for suffix, line in plugins.LOADERS.items() if line.extra}


@pytest.fixture(scope="module", autouse=True)
def _core_alone() -> None:
    packages = [name for line in plugins.FRAMEWORKS.values() if line.extra for name in line.packages]
    found = [name for name in packages if find_spec(name)]
    assert found == [], "these tests need the environment of `make test`, which has the core alone"


def failure(drum: Drum, folder: Path, command: str = "score") -> str:
    words = {"score": ("--input", "-"), "server": ("--address", "127.0.0.1:0")}[command]
    done = drum(command, "--code-dir", folder, *words, "--target-type", "regression", stdin=b"a\n1\n")
    assert (done.returncode, done.stdout) == (4, b"")
    return done.stderr.decode()


@pytest.mark.parametrize("command", ["score", "server"])
def test_an_xgboost_folder_fails_with_the_line_that_installs_it(drum: Drum, plant: Plant, command: str) -> None:
    told = failure(drum, plant("code", {"model.json": '{"learner": {}}'}), command)
    assert told == (
        "drum: error: The package 'xgboost' is needed and not installed; "
        'install it with: pip install "custom-model-runner[xgboost]"\n'
    )


@pytest.mark.parametrize("extra", SUFFIXES)
def test_an_artifact_of_any_framework_fails_with_the_line_that_installs_it(
    drum: Drum, plant: Plant, extra: str
) -> None:
    suffix, line = SUFFIXES[extra]
    told = failure(drum, plant("code", {f"model{suffix}": b"".join(line.begins[:1])}))
    assert told.endswith(f'is needed and not installed; install it with: pip install "custom-model-runner[{extra}]"\n')


def test_a_pickle_of_a_missing_framework_fails_with_the_line_that_installs_it(drum: Drum, plant: Plant) -> None:
    told = failure(drum, plant("code", {"model.pkl": b"cxgboost.sklearn\nXGBRegressor\n."}))
    assert told == (
        "drum: error: An error occurred when loading your artifact: "
        "model.pkl needs the module 'xgboost', which is not there: "
        'pip install "custom-model-runner[xgboost]"\n'
    )


KERAS_BACKENDS = {
    "keras": (
        "model.pkl: Keras is set to the backend 'tensorflow', which is not installed: "
        'pip install "custom-model-runner[keras]", and set the variable KERAS_BACKEND=torch\n'
    ),
    # Anything else that wants it is none of this framework's business.
    "network": "model.pkl needs the module 'tensorflow', which is not there: install it, or put its file beside",
}


@pytest.mark.parametrize("module", KERAS_BACKENDS)
def test_a_pickle_of_keras_without_any_backend_says_how_to_get_one(drum: Drum, plant: Plant, module: str) -> None:
    # The module stands in for Keras, which imports its backend when it is imported.
    files = {"model.pkl": f"c{module}\nModel\n.".encode(), f"{module}.py": "import tensorflow\n"}
    assert KERAS_BACKENDS[module] in failure(drum, plant("code", files))


def test_help_needs_no_framework(drum: Drum) -> None:
    done = drum("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: drum")
