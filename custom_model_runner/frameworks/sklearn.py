"""scikit-learn estimators and pipelines, and whatever keeps to their conventions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from pandas.api.types import is_complex_dtype, is_numeric_dtype
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from custom_model_runner.data import matrices, sparse
from custom_model_runner.data.labels import align
from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import (
    ContractError,
    InputError,
    LoadError,
    UnusableValues,
    UsageError,
    UserCodeError,
)
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import fitted, odd_values
from custom_model_runner.frameworks.bare import NAMES, is_plain, is_still, nameless, prove
from custom_model_runner.target_type import NUMERIC, TargetType

MANY_LABELS = 2
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
# Before 1.2 scikit-learn takes other columns for those that a table lacks, and only warns.
IS_LENIENT = VERSION < (1, 2)
# Before 1.4 it fills a sparse table with its zeros where a copy is to be made of it.
FILLS_COPIES = VERSION < (1, 4)

# Since 1.9 it imports a part of itself when it first sees a table: here, so that workers which share a model share it.
check_array(pd.DataFrame({"x": [0.0]}))


def hint(model: Any) -> Hint | None:
    """Return what a fitted estimator reveals about its target."""
    if is_classifier(model):
        classes = getattr(model, "classes_", ())
        if isinstance(classes, list) or getattr(model, "multilabel_", False):
            return Hint(TargetType.MULTILABEL)
        if not len(classes) and not _is_fitted(model):
            # What it would have learnt cannot be told, and it is refused once its target is known.
            return None
        labels = tuple(str(label) for label in classes)
        return Hint(TargetType.MULTICLASS if len(labels) > MANY_LABELS else TargetType.BINARY, labels)
    if is_regressor(model):
        return Hint(TargetType.REGRESSION)
    if is_outlier_detector(model):
        return Hint(TargetType.ANOMALY)
    is_transformer = callable(getattr(model, "transform", None)) and not callable(getattr(model, "predict", None))
    return Hint(TargetType.TRANSFORM) if is_transformer else None


def check(model: Any, target: Target) -> None:
    """Refuse, at load, an estimator that cannot give what the target needs."""
    method = "predict_proba" if target.is_classification else "predict"
    if not target.is_classification and target.type not in NUMERIC | {TargetType.GEO_POINT}:
        raise LoadError(f"scikit-learn models do not predict the target type '{target.type}'; write a score hook")
    if not callable(getattr(model, method, None)):
        raise LoadError(
            f"{type(model).__name__} has no {method}, which the target type '{target.type}' needs; "
            "write a score hook or choose another --target-type"
        )
    check_fitted(model)
    classes = getattr(model, "classes_", None)
    if target.is_classification and target.type is not TargetType.MULTILABEL and classes is not None:
        try:
            align(classes, target.labels)
        except ContractError as error:
            raise UsageError(f"The class labels are not those of {type(model).__name__}: {error}") from error


def check_fitted(model: Any) -> None:
    """Refuse, at load, what was never fitted."""
    if not _is_fitted(model):
        raise LoadError(f"{type(last_step(model)).__name__} was never fitted: fit it before it is saved")


def _is_fitted(model: Any) -> bool:
    """Say whether a model of scikit-learn was fitted; those of other authors are believed to be."""
    last = last_step(model)
    # It shows by attributes that end with an underscore; other authors name theirs as they like.
    if not type(last).__module__.startswith("sklearn."):
        return True
    try:
        check_is_fitted(last)
    except NotFittedError:
        return False
    return True


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the estimator needs, where it knows them."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        fitted.check(model, table)
        return
    table = fitted.named(table, names)
    needed = _needed(model, names)
    if lost := [name for name in fitted.missing(names, table) if name in needed]:
        raise fitted.lacking(lost, table, known=names)


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return probabilities with the estimator's own classes, or predictions."""
    return _scores(model, target, lambda method: on_table(method, model, table))


def bare(model: Any, target: Target) -> Bare | None:
    """Return what scores without a table, if the estimator was seen to predict the same from an array."""
    width = fitted.width(model)
    if width is None or not is_plain(model):
        return None
    names, twin = getattr(model, NAMES, None), nameless(model)

    def by_array(array: np.ndarray[Any, Any]) -> Scores:
        *before, last = [step for _, step in twin.steps] if type(twin) is Pipeline else [twin]
        for step in before:
            # A pipeline does the same, and takes as long again to look at itself.
            array = step.transform(array)
        return _scores(last, target, lambda method: method(array))

    def is_as_proved() -> bool:
        return getattr(model, NAMES, None) is names and is_still(twin, model)

    return prove(
        lambda table: score(model, table, target), by_array, names=names, width=width, is_as_proved=is_as_proved
    )


def _scores(model: Any, target: Target, call: Callable[[Callable[[Any], Any]], Any]) -> Scores:
    if not target.is_classification:
        return Scores(np.asarray(call(model.predict)))
    probabilities, classes = call(model.predict_proba), getattr(model, "classes_", None)
    if target.type is TargetType.MULTILABEL:
        # The classes of a multilabel estimator are positions, not names.
        return Scores(_positives(probabilities, classes))
    return Scores(np.asarray(probabilities), classes)


def _needed(model: Any, names: Any) -> frozenset[Any]:
    """Return the columns that a table must have; those that a pipeline drops first may be missing."""
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    if not isinstance(first, ColumnTransformer):
        return frozenset(names)
    parts = [(step, _names_of(columns, names)) for part, step, columns in first.transformers_ if part != "remainder"]
    used = frozenset(name for step, chosen in parts if not _is_dropped(step) for name in chosen)
    if _is_dropped(first.remainder):
        return used
    return used | (frozenset(names) - {name for _, chosen in parts for name in chosen})


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


def _names_of(columns: Any, names: Any) -> list[Any]:
    """Return the columns that a part of a ColumnTransformer takes, by name; it may know them by place."""
    places: Any = [columns] if isinstance(columns, (str, int)) else columns
    is_named = not isinstance(places, slice) and all(isinstance(column, str) for column in places)
    return list(places if is_named else np.asarray(names, dtype=object)[places])


def on_table(method: Callable[[Any], Any], model: Any, table: pd.DataFrame) -> Any:
    """Return what a method of an estimator gives for a table whose columns stand as the estimator knows them."""
    table = _in_fitted_order(model, table)
    try:
        return method(_unfilled(model, table))
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        if not sparse.is_sparse(table) or isinstance(error, KeyError):
            raise _explained(model, table, error) from error
    # Not all take sparse tables; those that do took it as it was.
    return on_table(method, model, matrices.dense(table))


def _unfilled(model: Any, table: pd.DataFrame) -> Any:
    """Return what an estimator is given; one without names that would fill a sparse table gets its matrix instead."""
    if not FILLS_COPIES or not sparse.is_sparse(table) or getattr(model, "feature_names_in_", None) is not None:
        return table
    first = model.steps[0][1] if isinstance(model, Pipeline) else model
    return matrices.matrix(table) if getattr(first, "copy", False) is True else table


def _positives(probabilities: Any, classes: Any) -> Any:
    """Return the probability of 1 for each label; some estimators give a list with both classes per label."""
    if not isinstance(probabilities, list):
        return np.asarray(probabilities)
    columns = [
        # A label that was the same in all training rows has one class only.
        part[:, list(known).index(1)] if 1 in known else np.zeros(len(part))
        for part, known in zip(probabilities, classes, strict=True)
    ]
    return np.column_stack(columns)


def _in_fitted_order(model: Any, table: pd.DataFrame) -> pd.DataFrame:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return fitted.nameless(model, table)
    table = fitted.named(table, names)
    if list(table.columns) == list(names):
        return table
    missing = fitted.missing(names, table)
    if missing and IS_LENIENT:
        raise fitted.lacking(missing, table, known=names)
    # Columns that the estimator was not fitted on cannot change its predictions.
    return table if missing else table[list(names)]


def _explained(model: Any, table: pd.DataFrame, error: Exception) -> InputError | UserCodeError:
    """Say what is wrong with the table where that can be told; library texts may quote the data and are not used."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None and (missing := fitted.missing(names, table)):
        return fitted.lacking(missing, table, known=names)
    wanted = fitted.width(model)
    if wanted is not None and wanted != table.shape[1]:
        return fitted.wrong_width(wanted, table)
    # Names are shown only where the model knows them: those of a file without a header line are data.
    shown = [str(name) for name in table.columns] if names is not None else [str(n) for n in range(table.shape[1])]
    columns = [(name, table.iloc[:, position]) for position, name in enumerate(shown)]
    name, kind = type(model).__name__, type(error).__name__
    ours = UserCodeError(f"{name} raised {kind} on {len(table)} rows and {table.shape[1]} columns")
    if isinstance(error, KeyError):
        return ours
    text = [name for name, column in columns if not is_numeric_dtype(column)]
    gaps = odd_values.found(columns, lambda column: column.isna().to_numpy())
    large = odd_values.found(columns, _are_large)
    if text or gaps or large:
        return UnusableValues(
            f"{name} cannot use the input ({kind}); ",
            *odd_values.texts(columns),
            f"columns that are not numeric: {fitted.some(text)}; "
            f"columns with missing values: {fitted.some(gaps)}; "
            f"columns with infinite or very large values: {fitted.some(large)}",
            *odd_values.first(gaps, large, rows=len(table)),
        )
    return ours


def _are_large(column: pd.Series[Any]) -> odd_values.Mask:
    """Say which values of a column are infinite, or become so in the narrow type that trees use."""
    if not is_numeric_dtype(column) or is_complex_dtype(column):
        return np.zeros(len(column), dtype=bool)
    large: odd_values.Mask = np.abs(column.to_numpy(np.float64, na_value=np.nan)) > np.finfo(np.float32).max
    return large
