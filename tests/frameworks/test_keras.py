"""What Keras files hold, what their networks reveal, and how they score a table."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

# Keras reads it once, when it is imported.
os.environ.setdefault("KERAS_BACKEND", "torch")
import keras

from custom_model_runner.artifacts import making
from custom_model_runner.artifacts.versions import Version
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError
from custom_model_runner.frameworks import keras as framework
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

# What Keras does with the arrays of its torch backend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

FRAME = pd.DataFrame({"a[1]": [0.5, 1.0, -2.0], "b": [3, 2, 1]})
GIVEN = FRAME.to_numpy(np.float32)
REGRESSION = Target(T.REGRESSION)
BINARY = Target(T.BINARY, ("no", "yes"))
THREE = Target(T.MULTICLASS, ("a", "b", "c"))


def network(outputs: int = 1, last: str = "linear") -> Any:
    dropout = keras.layers.Dropout(0.9)
    return keras.Sequential([keras.Input((2,)), dropout, keras.layers.Dense(outputs, activation=last)])


def error(wanted: Any, found: Any) -> Any:
    """A loss of the author's own, which Keras could not find again."""
    return found - wanted


class Code(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network that is plain code and declares no inputs."""

    def call(self, given: Any) -> Any:
        return given[:, :1]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_is_opened_without_what_is_for_training(tmp_path: Path, suffix: str) -> None:
    made = network()
    made.compile("adam", loss=error)
    made.save(tmp_path / f"model{suffix}")
    model = framework.load(tmp_path / f"model{suffix}")
    framework.check(model, REGRESSION)
    assert not model.compiled
    found = framework.score(model, FRAME, REGRESSION)
    assert found.labels is None
    np.testing.assert_allclose(found.values, made.predict(GIVEN, verbose=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.h5", "model.h5 is a zip archive, which is called .keras; save the model with"),
        ("model.KERAS", "rename model.KERAS to model.keras"),
    ],
)
def test_a_file_under_a_wrong_name_is_refused_with_what_to_do(tmp_path: Path, name: str, words: str) -> None:
    network().save(tmp_path / "made.keras")
    shutil.move(tmp_path / "made.keras", tmp_path / name)
    with pytest.raises(LoadError, match=words):
        framework.load(tmp_path / name)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
@pytest.mark.parametrize("data", [b"", b"version https"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LoadError, match=f"{name} is a file of no Keras format"):
        framework.load(tmp_path / name)


def test_the_version_that_made_an_archive_is_read_without_keras(tmp_path: Path) -> None:
    network().save(tmp_path / "model.keras")
    assert making.made_with(tmp_path / "model.keras") == {Version("keras", keras.__version__)}


def test_an_hdf5_file_without_lambda_layers_is_opened_under_no_pickle(tmp_path: Path) -> None:
    made = network()
    made.save(tmp_path / "model.h5")
    found = framework.score(framework.load_without_code(tmp_path / "model.h5"), FRAME, REGRESSION)
    np.testing.assert_allclose(found.values, made.predict(GIVEN, verbose=0), rtol=1e-6)


def test_an_hdf5_file_with_a_lambda_layer_deep_inside_is_refused_under_no_pickle(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda values: values * 2)])
    keras.Sequential([keras.Input((2,)), inner, keras.layers.Dense(1)]).save(tmp_path / "model.h5")
    with pytest.raises(LoadError, match=r"^--no-pickle refuses model.h5: it has a Lambda layer"):
        framework.load_without_code(tmp_path / "model.h5")


def test_a_backend_that_is_not_installed_is_told_with_the_variable_to_set(tmp_path: Path) -> None:
    # An empty folder of settings, so that Keras falls back to its own default; tensorflow is not installed here.
    program = "import custom_model_runner.frameworks.keras"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={"KERAS_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert "LoadError: Keras is set to the backend 'tensorflow', which is not installed" in done.stderr
    assert "set the variable KERAS_BACKEND=torch\n" in done.stderr


def test_a_pickled_pipeline_is_told_so_too(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(pickle.dumps(Pipeline([("scale", StandardScaler()), ("network", network())])))
    command = [sys.executable, "-m", "custom_model_runner", "score", "--code-dir", str(folder), "--input", "-"]
    done = subprocess.run(
        command, env={"KERAS_HOME": str(tmp_path)}, input="a\n1\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        4,
        "drum: error: An error occurred when loading your artifact: model.pkl: Keras is set to the backend "
        "'tensorflow', which is not installed: set the variable KERAS_BACKEND=torch\n",
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (network(2, "softmax"), Hint(T.BINARY)),
        (network(3, "softmax"), Hint(T.MULTICLASS)),
        (keras.Sequential([network(3), keras.layers.Softmax()]), Hint(T.MULTICLASS)),
        (network(1, "sigmoid"), None),
        (network(3), None),
        (Code(), None),
        (Pipeline([("scale", StandardScaler()), ("network", network(3, "softmax"))]), Hint(T.MULTICLASS)),
    ],
)
def test_a_softmax_reveals_the_target_type(model: Any, expected: Hint | None) -> None:
    assert framework.hint(model) == expected


@pytest.mark.parametrize(
    ("outputs", "target"), [(1, REGRESSION), (1, Target(T.ANOMALY)), (1, BINARY), (2, BINARY), (3, THREE)]
)
def test_a_network_that_gives_what_the_target_needs_is_accepted(outputs: int, target: Target) -> None:
    framework.check(network(outputs), target)


@pytest.mark.parametrize(
    ("outputs", "target", "needed"), [(3, REGRESSION, 1), (3, BINARY, 2), (1, THREE, 3), (2, THREE, 3)]
)
def test_another_number_of_values_is_refused_at_load(outputs: int, target: Target, needed: int) -> None:
    with pytest.raises(UsageError, match=f"gives {outputs} values per row, .* needs {needed}"):
        framework.check(network(outputs), target)


def two_inputs() -> Any:
    inputs = [keras.Input((1,), name="a"), keras.Input((1,), name="b")]
    return keras.Model(inputs, keras.layers.Concatenate()(inputs))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (two_inputs(), r"takes 2 inputs \(a, b\), expected one matrix"),
        (keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()]), r"shape \(None, 4, 4, 3\)"),
        (keras.layers.Dense(1), "Dense is no Keras model"),
    ],
)
def test_a_network_that_takes_no_matrix_is_refused_at_load(model: Any, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        framework.check(model, REGRESSION)


def test_another_number_of_columns_is_told_before_the_call() -> None:
    with pytest.raises(InputError, match="takes 2 columns, found 3"):
        framework.score(network(), FRAME.assign(c=1), REGRESSION)


def test_a_network_without_declared_inputs_gets_the_matrix() -> None:
    framework.check(Code(), REGRESSION)
    np.testing.assert_array_equal(framework.score(Code(), FRAME, REGRESSION).values, GIVEN[:, :1])


def test_many_rows_are_scored_in_blocks_and_in_order() -> None:
    many = pd.DataFrame({"a": np.arange(framework.BLOCK * 2 + 5.0)})
    np.testing.assert_array_equal(framework.score(Code(), many, REGRESSION).values[:, 0], many["a"])


def test_whole_numbers_stay_whole_where_the_network_takes_them() -> None:
    given = keras.Input((1,), dtype="int32")
    model = keras.Model(given, keras.layers.Flatten()(keras.layers.Embedding(4, 1)(given)))
    assert framework.score(model, pd.DataFrame({"a": [3.0, 0.0]}), REGRESSION).values.shape == (2, 1)
    with pytest.raises(InputError, match="takes int32 values, without gaps; columns with others: 0 "):
        framework.score(model, pd.DataFrame({"a": [3.5, 0.0]}), REGRESSION)


def test_gaps_leave_no_probabilities_and_are_blamed_on_the_input() -> None:
    with pytest.raises(InputError, match=r"no probabilities .*: 1 "):
        framework.score(network(1, "sigmoid"), FRAME.assign(b=np.nan), BINARY)


def test_a_scikit_learn_classifier_gives_probabilities_with_its_classes() -> None:
    made = network(3, "softmax")
    made.compile("adam", "categorical_crossentropy")
    model = keras.wrappers.SKLearnClassifier(made, fit_kwargs={"verbose": 0}).fit(GIVEN, ["c", "a", "b"])
    assert framework.hint(model) == Hint(T.MULTICLASS, ("a", "b", "c"))
    framework.check(model, THREE)
    found = framework.score(model, FRAME, THREE)
    assert found.labels is not None
    assert list(found.labels) == ["a", "b", "c"]
    np.testing.assert_allclose(found.values, model.model_.predict(GIVEN, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
@pytest.mark.parametrize("form", [".keras", ".h5"])
@pytest.mark.parametrize(("outputs", "last"), [(1, "sigmoid"), (2, "softmax")], ids=["one column", "two columns"])
def test_the_positive_probability_lands_on_the_positive_label(
    tmp_path: Path, outputs: int, last: str, form: str, has_hook: bool
) -> None:
    keras.utils.set_random_seed(7)
    made = network(outputs, last)
    made.save(tmp_path / f"model{form}")
    assert_sides(tmp_path, FRAME, made.predict(GIVEN, verbose=0)[:, -1], has_hook=has_hook)


def test_the_columns_of_a_table_without_rows_are_checked() -> None:
    framework.check_columns(network(), FRAME[:0])
    with pytest.raises(InputError, match="takes 2 columns, found 1"):
        framework.check_columns(network(), FRAME[["b"]][:0])
