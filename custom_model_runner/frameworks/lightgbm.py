"""LightGBM: models of its scikit-learn interface, pipelines that end in them, and native boosters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import LoadError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import boosters
from custom_model_runner.frameworks import sklearn as conventions
from custom_model_runner.frameworks.bare import is_plain, prove
from custom_model_runner.frameworks.boosters import Features, Gives, Output
from custom_model_runner.target_type import TargetType

REFUSED = '[]{}:,"'
FIRST_TREE = b"\nTree=0\n"
END = b"end of trees"
GIVES: Mapping[str, tuple[Gives, TargetType]] = {
    "binary": (Gives.PROBABILITIES, TargetType.BINARY),
    "multiclass": (Gives.PROBABILITIES, TargetType.MULTICLASS),
    "multiclassova": (Gives.SEPARATE_PROBABILITIES, TargetType.MULTICLASS),
    "cross_entropy": (Gives.PROBABILITIES, TargetType.REGRESSION),
}


def load(path: Path) -> Any:
    """Open a native model as a booster."""
    text = path.read_bytes().replace(b"\r\n", b"\n")
    # LightGBM reads trees in threads of its own: an error there ends the whole process.
    if not _is_whole(text):
        raise LoadError(f"{path.name} is not a whole LightGBM model: write it again with save_model")
    try:
        return lightgbm.Booster(model_str=text.decode())
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise LoadError(
            f"{path.name} is not a model that LightGBM {lightgbm.__version__} reads; "
            "write it with save_model, by this version or an older one"
        ) from error


def _is_whole(text: bytes) -> bool:
    """Say whether each tree stands where the header says, up to the end of the last."""
    sizes = re.search(rb"^tree_sizes=([\d ]*)$", text, re.MULTILINE)
    place = text.find(FIRST_TREE) + 1
    if sizes is None or place == 0:
        return END in text
    for number, size in enumerate(map(int, sizes[1].split())):
        if not text.startswith(b"Tree=%d\n" % number, place):
            return False
        place += size
    return text.startswith(END, place)


def hint(model: Any) -> Hint | None:
    """Return what a model reveals about its target; the objective of a booster knows no labels."""
    booster = _booster(model)
    return boosters.hint(_output(booster)) if booster is boosters.alone(model) else conventions.hint(model)


def check(model: Any, target: Target) -> None:
    """Refuse, at load, a model that cannot give what the target needs."""
    booster = _booster(model)
    boosters.check(_output(booster), target)
    if len(_names_of_categorical(booster)) != len(booster.pandas_categorical or ()):
        raise LoadError(f"{type(model).__name__} does not tell which of its columns are categories; write a score hook")
    if booster is not model:
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
    rows = boosters.rows(table)
    # Matrices have no names, about which the classes of the scikit-learn interface would warn.
    predicts = model if rows is table else booster
    try:
        if target.is_classification and booster is not model:
            values = np.asarray(model.predict_proba(table) if predicts is model else booster.predict(rows))
            return Scores(np.column_stack([1 - values, values]) if values.ndim == 1 else values, model.classes_)
        return Scores(np.asarray(predicts.predict(rows)))
    except (TypeError, ValueError, OverflowError, KeyError, lightgbm.basic.LightGBMError) as error:
        raise boosters.explained(model, table, error, features=features) from error


def bare(model: Any, target: Target) -> Bare | None:
    """Return what scores without a table, if the booster was seen to predict the same from an array."""
    model = boosters.alone(model)
    if boosters.is_pipeline(model):
        return conventions.bare(model, target)
    booster = _booster(model)
    features = _features(booster)

    def by_array(array: np.ndarray[Any, Any]) -> Scores:
        values = np.asarray(booster.predict(array))
        if booster is model or not target.is_classification:
            return Scores(values)
        return Scores(np.column_stack([1 - values, values]) if values.ndim == 1 else values, model.classes_)

    if not is_plain(model) or booster.pandas_categorical:
        return None
    names, width = features.names, features.width
    return prove(lambda table: score(model, table, target), by_array, names=names, width=width, written=_written)


def _booster(model: Any) -> lightgbm.Booster:
    inner = last_step(model)
    if isinstance(inner, lightgbm.Booster):
        return inner
    if not isinstance(inner, lightgbm.LGBMModel):
        raise LoadError(f"Expected a booster or a model of LightGBM, found {type(inner).__name__}")
    try:
        return inner.booster_
    except ValueError as error:
        raise LoadError(f"{type(inner).__name__} was never fitted: fit it before it is saved") from error


def _header(booster: lightgbm.Booster, key: str) -> str:
    """Return a line of the model's text; one tree is enough to get it."""
    found = re.search(rf"^{key}=(.*)$", booster.model_to_string(num_iteration=1), re.MULTILINE)
    return found[1] if found else ""


def _output(booster: lightgbm.Booster) -> Output:
    objective = _header(booster, "objective").partition(" ")[0] or "custom"
    width = booster.num_model_per_iteration()
    gives, suggests = GIVES.get(objective, (Gives.NUMBERS, TargetType.REGRESSION))
    if suggests is TargetType.MULTICLASS and width == 2:
        suggests = TargetType.BINARY
    return Output(objective, width, gives, suggests)


def _features(booster: lightgbm.Booster) -> Features:
    names = tuple(booster.feature_name())
    is_made_up = names == tuple(f"Column_{place}" for place in range(len(names)))
    return Features(len(names), None if is_made_up else names, REFUSED, _written)


def _written(name: str) -> str:
    return name.replace(" ", "_")


def _with_categories(table: pd.DataFrame, booster: lightgbm.Booster) -> pd.DataFrame:
    known = booster.pandas_categorical or ()
    names = _names_of_categorical(booster)
    columns = {name: boosters.categorical(table[name], values) for name, values in zip(names, known, strict=True)}
    return table.assign(**columns) if columns else table


def _names_of_categorical(booster: lightgbm.Booster) -> list[str]:
    """Return the columns that were categories of pandas when the model was trained."""
    if not booster.pandas_categorical:
        return []
    # The range of a number stands in brackets.
    kinds = _header(booster, "feature_infos").split(" ")
    names = booster.feature_name()
    return [name for name, kind in zip(names, kinds, strict=True) if kind != "none" and not kind.startswith("[")]
