"""XGBoost: models of its scikit-learn interface, pipelines that end in them, and native boosters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost

from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import LoadError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import boosters
from custom_model_runner.frameworks import sklearn as conventions
from custom_model_runner.frameworks.bare import is_plain, prove
from custom_model_runner.frameworks.boosters import Features, Gives, Output
from custom_model_runner.target_type import TargetType

REFUSED = "[]<"
ONE_COLUMN = frozenset({"multi:softmax"})
PROBABILITIES = frozenset({"binary:logistic", "binary:hinge", "multi:softprob", "reg:logistic"})


def load(path: Path) -> Any:
    """Open a native model, in JSON or UBJSON, as a booster."""
    try:
        return xgboost.Booster(model_file=path)
    except xgboost.core.XGBoostError as error:
        raise LoadError(
            f"{path.name} is not a whole model that XGBoost {xgboost.__version__} reads; "
            "write it with save_model, by this version or an older one"
        ) from error


def hint(model: Any) -> Hint | None:
    """Return what a model reveals about its target; the objective of a booster knows no labels."""
    output = _output(_booster(model))
    if isinstance(boosters.alone(model), xgboost.Booster) or output.gives is Gives.SEPARATE_PROBABILITIES:
        return boosters.hint(output)
    return conventions.hint(model)


def check(model: Any, target: Target) -> None:
    """Refuse, at load, a model that cannot give what the target needs."""
    boosters.check(_output(_booster(model)), target)
    if not isinstance(model, xgboost.Booster):
        conventions.check(model, target)


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the model was trained on, where it knows them."""
    model = boosters.alone(model)
    if boosters.is_pipeline(model):
        conventions.check_columns(model, table)
    else:
        boosters.arrange(table, _features(_booster(model)))


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return what the booster predicts, or the probabilities of a classifier with its classes."""
    model = boosters.alone(model)
    if boosters.is_pipeline(model):
        return conventions.score(model, table, target)
    booster = _booster(model)
    features = _features(booster)
    table = _with_categories(boosters.arrange(table, features), booster)
    if features.names is None:
        # XGBoost looks at the names even when the model has none.
        table = table.set_axis(range(features.width), axis=1)
    try:
        rows = boosters.rows(table)
        if isinstance(model, xgboost.Booster):
            names = list(features.names) if features.names and rows is not table else None
            data = xgboost.DMatrix(rows, enable_categorical=True, feature_names=names)
            return Scores(model.predict(data, iteration_range=_rounds(model)))
        if target.is_classification:
            classes = None if target.type is TargetType.MULTILABEL else model.classes_
            return Scores(np.asarray(model.predict_proba(rows)), classes)
        return Scores(np.asarray(model.predict(rows)))
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        raise boosters.explained(model, table, error, features=features) from error


def bare(model: Any, target: Target) -> Bare | None:
    """Return what scores without a table, if the model was seen to predict the same from an array."""
    model = boosters.alone(model)
    if boosters.is_pipeline(model):
        return conventions.bare(model, target)
    booster = _booster(model)
    features, rounds = _features(booster), _rounds(booster)

    def by_array(array: np.ndarray[Any, Any]) -> Scores:
        if isinstance(model, xgboost.Booster):
            data = xgboost.DMatrix(array, feature_names=booster.feature_names, feature_types=booster.feature_types)
            return Scores(model.predict(data, iteration_range=rounds))
        if target.is_classification:
            classes = None if target.type is TargetType.MULTILABEL else model.classes_
            return Scores(np.asarray(model.predict_proba(array, validate_features=False)), classes)
        return Scores(np.asarray(model.predict(array, validate_features=False)))

    if not is_plain(model) or "c" in (booster.feature_types or ()):
        return None
    return prove(lambda table: score(model, table, target), by_array, names=features.names, width=features.width)


def _rounds(booster: xgboost.Booster) -> tuple[int, int]:
    """Return which rounds count: those up to the best one where training was stopped early, as in XGBoost's classes."""
    best = booster.attr("best_iteration")
    # A linear model has no trees of rounds to choose from.
    has_trees = best is not None and _learner(booster)["gradient_booster"]["name"] != "gblinear"
    return (0, int(best) + 1) if best is not None and has_trees else (0, 0)


def _learner(booster: xgboost.Booster) -> Any:
    return json.loads(booster.save_config())["learner"]


def _booster(model: Any) -> xgboost.Booster:
    inner = last_step(model)
    if isinstance(inner, xgboost.Booster):
        return inner
    if not isinstance(inner, xgboost.XGBModel):
        raise LoadError(f"Expected a booster or a model of XGBoost, found {type(inner).__name__}")
    try:
        return inner.get_booster()
    except ValueError as error:
        raise LoadError(f"{type(inner).__name__} was never fitted: fit it before it is saved") from error


def _output(booster: xgboost.Booster) -> Output:
    learner = _learner(booster)
    objective = learner["objective"]["name"]
    parameters = learner["learner_model_param"]
    width = max(int(parameters["num_class"]), int(parameters.get("num_target", 1)), 1)
    gives = Gives.PROBABILITIES if objective in PROBABILITIES else Gives.NUMBERS
    if objective.startswith("multi:"):
        suggests = TargetType.MULTICLASS if width > 2 else TargetType.BINARY
    elif objective.startswith("binary:"):
        suggests = TargetType.BINARY if width == 1 else TargetType.MULTILABEL
    else:
        suggests = TargetType.REGRESSION
    if gives is Gives.PROBABILITIES and width > 1 and not objective.startswith("multi:"):
        gives = Gives.SEPARATE_PROBABILITIES
    return Output(objective, 1 if objective in ONE_COLUMN else width, gives, suggests)


def _features(booster: xgboost.Booster) -> Features:
    names = booster.feature_names
    return Features(booster.num_features(), tuple(names) if names else None, REFUSED)


def _with_categories(table: pd.DataFrame, booster: xgboost.Booster) -> pd.DataFrame:
    known = _categories(booster)
    columns = {name: boosters.categorical(table[name], values) for name, values in known.items()}
    return table.assign(**columns) if columns else table


def _categories(booster: xgboost.Booster) -> Mapping[str, Sequence[object]]:
    """Return the categories of each column that has them; models of older versions hold codes alone."""
    stored = getattr(booster, "get_categories", None)
    if stored is None or "c" not in (booster.feature_types or ()):
        return {}
    categories = stored(export_to_arrow=True)
    if categories.empty():
        return {}
    return {name: values.to_pylist() for name, values in categories.to_arrow() if values is not None}
