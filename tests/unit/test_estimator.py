"""Whose a model is: told by the packages that its classes come from."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner import estimator, plugins
from custom_model_runner.data.csv_rows import Header, Rows
from custom_model_runner.data.predictions import Bare
from custom_model_runner.data.target import Target
from custom_model_runner.errors import ContractError, InputError, LoadError, PayloadTooLarge, UserCodeError
from custom_model_runner.estimator import Estimator
from custom_model_runner.target_type import TargetType

REGRESSION = Target(TargetType.REGRESSION)
TABLE = pd.DataFrame({"a": [0.0, 1.0]})


def class_of(module: str, *bases: type, **members: Any) -> type:
    """Return a class as if a package had defined it."""
    return type("Model", bases, {"__module__": module, **members})


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the files of all frameworks; what is imported is written down."""
    imported: list[str] = []

    def find(line: plugins.Plugin) -> ModuleType:
        imported.append(line.module)
        return ModuleType(line.module)

    monkeypatch.setattr(plugins, "find", find)
    return imported


@pytest.mark.parametrize(
    ("package", "framework"),
    [(package, name) for name, line in plugins.FRAMEWORKS.items() for package in line.packages],
)
def test_a_model_belongs_to_the_framework_of_its_package(package: str, framework: str, modules: list[str]) -> None:
    found = estimator.recognise(class_of(f"{package}.core.deep")())
    assert found is not None
    assert found.framework == framework
    assert modules == [plugins.FRAMEWORKS[framework].module]


@pytest.mark.parametrize(
    ("packages", "framework"),
    [
        (("xgboost.sklearn", "sklearn.base"), "xgboost"),
        (("sklearn.base", "lightgbm.sklearn"), "lightgbm"),
        (("keras.src.models", "torch.nn"), "keras"),
        (("custom", "torch.nn"), "torch"),
        (("custom", "sklearn.base"), "scikit-learn"),
    ],
)
def test_the_first_framework_that_claims_any_base_class_wins(packages: tuple[str, ...], framework: str) -> None:
    bases = tuple(class_of(package) for package in packages)
    found = estimator.recognise(class_of("__main__", *bases)())
    assert found is not None
    assert found.framework == framework


@pytest.mark.parametrize("package", ["builtins", "torchvision.models", "my_xgboost", "sklearnex", "custom.torch"])
def test_a_similar_name_is_not_that_of_the_package(package: str, modules: list[str]) -> None:
    assert estimator.recognise(class_of(package)()) is None
    assert modules == []


def test_a_pipeline_belongs_to_the_framework_of_its_last_step() -> None:
    last = class_of("xgboost.sklearn", BaseEstimator, fit=None)()
    pipeline = Pipeline([("scale", StandardScaler()), ("model", last)])
    found = estimator.recognise(pipeline)
    assert found is not None
    assert (found.framework, found.model) == ("xgboost", pipeline)


def test_a_pipeline_whose_last_step_no_framework_claims_keeps_to_its_own_conventions() -> None:
    found = estimator.recognise(Pipeline([("scale", StandardScaler()), ("model", class_of("custom", fit=None)())]))
    assert found is not None
    assert found.framework == "scikit-learn"


def test_the_last_step_of_a_pipeline_is_found() -> None:
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    assert estimator.last_step(pipeline) is pipeline.steps[-1][1]


@pytest.mark.parametrize("steps", [None, [], 3, "ab", [1, 2], [("one",)], (("name", 1),)])
def test_steps_that_are_not_those_of_a_pipeline_are_no_steps(steps: object) -> None:
    model = class_of("custom", steps=steps)()
    assert estimator.last_step(model) is model


def test_a_model_that_no_framework_claims_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LoadError) as caught:
        estimator.require(class_of("statsmodels.api")())
    words = "Could not find any framework to handle loaded model and a score hook is not provided: "
    known = ", ".join(plugins.FRAMEWORKS)
    expected = f"{words}found statsmodels.api.Model, expected a fitted model of: {known}; write a score hook"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            {"model": 1, "secret": 2},
            "found a dict of length 2, .*save the model alone, or pick it in a load_model hook",
        ),
        ([1, 2, 3], "found a list of length 3, .*pick it in a load_model hook"),
        ("secret", "found a str of length 6, "),
        (np.ones((3, 2)), r"found data, a numpy.ndarray of shape \(3, 2\), .*save the fitted model instead"),
        (np.float64(2), r"found data, a numpy.float64 of shape \(\), "),
        (TABLE, r"found data, a pandas\S*DataFrame of shape \(2, 1\), "),
        (class_of, "found the function class_of, .*call it in a score hook"),
        (LinearRegression, "found the class sklearn.linear_model._base.LinearRegression itself, .*an instance of it"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_that_is_no_model_is_named_with_what_to_do_and_without_what_is_in_it(
    model: object, words: str
) -> None:
    with pytest.raises(LoadError, match=words) as caught:
        estimator.require(model)
    assert "secret" not in str(caught.value)


def test_only_a_table_can_be_scored() -> None:
    with pytest.raises(ContractError, match=r"read_input_data hook returned dict; .* must be a DataFrame"):
        Estimator(object(), "sail", ModuleType("sail")).score({}, REGRESSION)


def test_what_a_framework_raises_names_the_model_that_failed() -> None:
    library = ModuleType("sail")
    library.score = lambda *_: 1 / 0  # type: ignore[attr-defined]
    with pytest.raises(UserCodeError, match=r"^Model failed. Exception: ZeroDivisionError"):
        Estimator(class_of("sail")(), "sail", library).score(TABLE, REGRESSION)


def test_what_a_framework_says_about_the_input_passes_through() -> None:
    def refuse(*_: object) -> None:
        raise InputError("no wind")

    library = ModuleType("sail")
    library.score = refuse  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"^no wind$"):
        Estimator(object(), "sail", library).score(TABLE, REGRESSION)


def test_a_table_for_which_the_memory_does_not_suffice_is_too_large() -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    library = ModuleType("sail")
    library.score = fail  # type: ignore[attr-defined]
    rows, columns = TABLE.shape
    with pytest.raises(PayloadTooLarge, match=f"^Model needs more memory .* for {rows} rows and {columns} columns$"):
        Estimator(class_of("sail")(), "sail", library).score(TABLE, REGRESSION)


def test_a_proof_or_a_score_without_a_table_that_fails_leaves_the_way_with_one() -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    library = ModuleType("library")
    subject = Estimator(None, "framework", library)
    assert subject.prove_bare(REGRESSION) is None
    library.bare = fail  # type: ignore[attr-defined]
    assert subject.prove_bare(REGRESSION) is None
    library.bare = lambda *_: Bare(fail, fail)  # type: ignore[attr-defined]
    proved = subject.prove_bare(REGRESSION)
    assert proved is not None
    assert proved.rows(Rows(Header(TABLE.columns), [[1.0]], [False])) is None
    assert proved.numbers is not None
    assert proved.numbers(TABLE) is None
