"""CatBoost: its models, pickled or native, and pipelines that end in them. Native models keep their labels."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from custom_model_runner.data.labels import align
from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import ContractError, LoadError, UnusableValues, UsageError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import boosters, threads
from custom_model_runner.frameworks import sklearn as conventions
from custom_model_runner.frameworks.bare import is_plain, prove
from custom_model_runner.frameworks.boosters import Features, Gives, Output
from custom_model_runner.target_type import TargetType

MAGIC = b"CBM1"
HEADER = struct.Struct("<4sI")
CLASSES = frozenset({"Logloss", "CrossEntropy", "MultiClass"})
SEPARATE = frozenset({"MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy"})
# The values of these stand as logarithms in the model; CatBoost's own regressor gives them in the target's unit.
LOGARITHMIC = frozenset({"Poisson", "Tweedie"})
ALL_CORES = -1


def load(path: Path) -> Any:
    """Open a native model."""
    with path.open("rb") as file:
        start = file.read(HEADER.size)
    # CatBoost believes the length in the header, and one that is too large ends the whole process.
    magic, length = HEADER.unpack(start.ljust(HEADER.size, b"\0"))
    if magic != MAGIC or HEADER.size + length > path.stat().st_size:
        raise LoadError(f"{path.name} is not a whole CatBoost model: write it again with save_model, format cbm")
    try:
        return catboost.CatBoost().load_model(str(path))
    except catboost.CatBoostError as error:
        raise LoadError(
            f"{path.name} is not a model that CatBoost {catboost.__version__} reads; "
            "write it with save_model, by this version or an older one"
        ) from error


def hint(model: Any) -> Hint:
    """Return what a model reveals about its target, its labels included."""
    inner = _fitted(model)
    output = _output(inner)
    labels = () if output.suggests is TargetType.MULTILABEL else tuple(str(label) for label in _classes(inner))
    return Hint(output.suggests, labels)


def check(model: Any, target: Target) -> None:
    """Refuse, at load, a model that cannot give what the target needs."""
    inner = _fitted(model)
    boosters.check(_output(inner), target)
    if inner is not boosters.alone(model):
        conventions.check(model, target)
    classes = _classes(inner)
    if target.is_classification and target.type is not TargetType.MULTILABEL and classes:
        try:
            align(classes, target.labels)
        except ContractError as error:
            raise UsageError(f"The class labels are not those of {type(inner).__name__}: {error}") from error


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the model was trained on, where it knows them."""
    model = boosters.alone(model)
    if boosters.is_pipeline(model):
        conventions.check_columns(model, table)
    else:
        boosters.arrange(table, _features(_fitted(model)))


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return the probabilities of the classes, or the predictions in the unit of the target."""
    model, inner = boosters.alone(model), _fitted(model)
    if inner is not model:
        return _score_pipeline(model, table, target)
    features = _features(inner)
    table = boosters.arrange(table, features)
    _check_categories(inner, table, features)
    try:
        return _scores(inner, boosters.rows(table), target)
    except (TypeError, ValueError, OverflowError, KeyError, catboost.CatBoostError) as error:
        raise boosters.explained(inner, _numeric(inner, table), error, features=features) from error


def bare(model: Any, target: Target) -> Bare | None:
    """Return what scores without a table, if the model was seen to predict the same from an array."""
    model, inner = boosters.alone(model), _fitted(model)
    if inner is not model:
        return conventions.bare(model, target)
    if not is_plain(model):
        return None
    features = _features(inner)
    return prove(
        lambda table: score(model, table, target),
        lambda array: _scores(inner, array, target),
        names=features.names,
        width=features.width,
    )


def _scores(model: catboost.CatBoost, rows: Any, target: Target) -> Scores:
    kind, count = _prediction(model, target), threads.limit() or ALL_CORES
    values = np.asarray(catboost.CatBoost.predict(model, rows, prediction_type=kind, thread_count=count))
    has_labels = target.is_classification and target.type is not TargetType.MULTILABEL
    return Scores(values, (_classes(model) or None) if has_labels else None)


def _score_pipeline(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    try:
        return conventions.score(model, table, target)
    except catboost.CatBoostError as error:
        raise boosters.explained(model, table, error, features=Features(table.shape[1])) from error


def _fitted(model: Any) -> catboost.CatBoost:
    inner = last_step(model)
    if not isinstance(inner, catboost.CatBoost):
        raise LoadError(f"Expected a model of CatBoost, found {type(inner).__name__}")
    if not inner.is_fitted():
        raise LoadError(f"{type(inner).__name__} was never fitted: fit it before it is saved")
    return inner


def _classes(model: catboost.CatBoost) -> list[object]:
    classes = model.classes_
    return [] if classes is None else list(classes)


def _loss(model: catboost.CatBoost) -> str:
    try:
        loss = model.get_all_params().get("loss_function")
    except catboost.CatBoostError:
        # A sum of models, or one that another program made, does not say how it was trained.
        return "unknown"
    return str(loss).partition(":")[0]


def _output(model: catboost.CatBoost) -> Output:
    loss, count = _loss(model), len(_classes(model))
    if loss in CLASSES:
        return Output(loss, count, Gives.PROBABILITIES, TargetType.MULTICLASS if count > 2 else TargetType.BINARY)
    if loss in SEPARATE:
        is_multiclass = loss == "MultiClassOneVsAll"
        suggests = TargetType.MULTICLASS if is_multiclass else TargetType.MULTILABEL
        return Output(loss, count, Gives.SEPARATE_PROBABILITIES, suggests)
    _, bias = model.get_scale_and_bias()
    return Output(loss, np.size(bias), Gives.NUMBERS, TargetType.REGRESSION)


def _prediction(model: catboost.CatBoost, target: Target) -> str:
    if target.is_classification:
        return "Probability"
    return "Exponent" if _loss(model) in LOGARITHMIC else "RawFormulaVal"


def _features(model: catboost.CatBoost) -> Features:
    names = tuple(model.feature_names_)
    is_made_up = names == tuple(str(place) for place in range(len(names)))
    return Features(len(names), None if is_made_up else names)


def _check_categories(model: catboost.CatBoost, table: pd.DataFrame, features: Features) -> None:
    """Refuse categories that CatBoost does not take: how training spelled them as text is not known."""
    bad = [
        str(features.names[place] if features.names else place)
        for place in model.get_cat_feature_indices()
        if is_float_dtype(table.iloc[:, place]) or table.iloc[:, place].isna().any()
    ]
    if bad:
        raise UnusableValues(
            f"Columns of categories hold missing values or fractions, expected text or whole numbers: {', '.join(bad)}"
        )


def _numeric(model: catboost.CatBoost, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with whatever may be text marked as such."""
    places = [*model.get_cat_feature_indices(), *model.get_text_feature_indices()]
    names = [table.columns[place] for place in places]
    return table.astype(dict.fromkeys(names, "category")) if names else table
