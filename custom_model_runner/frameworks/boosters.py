"""What gradient boosters have in common: the columns that they were trained on, and what an objective gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from custom_model_runner.data import matrices, sparse
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UnusableValues, UsageError, UserCodeError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import fitted, odd_values
from custom_model_runner.target_type import NUMERIC, TargetType


class Gives(Enum):
    """What the numbers of a row are."""

    NUMBERS = auto()
    PROBABILITIES = auto()
    # Of labels that do not exclude one another: they do not add up to one.
    SEPARATE_PROBABILITIES = auto()


@dataclass(frozen=True)
class Output:
    """What a model gives for a row, as its objective tells, and the target that this is made for."""

    objective: str
    width: int
    gives: Gives
    suggests: TargetType


@dataclass(frozen=True)
class Features:
    """The columns a model was trained on; without names, or with made-up ones, they are known by position alone."""

    width: int
    names: tuple[str, ...] | None = None
    # Characters that the library refuses in a name: whoever trained with such columns had to rename them.
    refused: str = ""
    # How the library writes the name of a column.
    written: Callable[[str], str] = str


def alone(model: Any) -> Any:
    """Return the only step of a pipeline that has no other, else the model itself."""
    steps = getattr(model, "steps", None)
    if not isinstance(steps, list):
        return model
    acting = [step for _, step in steps if step is not None and not isinstance(step, str)]
    return acting[0] if len(acting) == 1 else model


def is_pipeline(model: Any) -> bool:
    """Say whether a model has steps before the one that predicts."""
    return last_step(model) is not model


def hint(output: Output) -> Hint:
    """Return what an objective reveals about the target; it knows no labels."""
    return Hint(output.suggests)


def check(output: Output, target: Target) -> None:
    """Refuse, at load, a target that the model's output cannot give."""
    made = f"a model with the objective '{output.objective}'"
    if not target.is_classification:
        if target.type not in NUMERIC:
            raise LoadError(f"The target type '{target.type}' is not for {made}; write a score hook")
        if output.width != 1:
            raise LoadError(f"The target type '{target.type}' needs one value per row; {made} gives {output.width}")
        return
    if output.gives is Gives.NUMBERS:
        raise LoadError(
            f"The target type '{target.type}' needs probabilities, which {made} does not give; "
            "train it with an objective that does, write a score hook or choose another --target-type"
        )
    is_multilabel = target.type is TargetType.MULTILABEL
    if output.gives is Gives.SEPARATE_PROBABILITIES and not is_multilabel:
        raise LoadError(
            f"The target type '{target.type}' needs probabilities that add up to one; those of {made} do not; "
            "train it with another objective or write a score hook"
        )
    count = len(target.labels)
    if count != output.width and (is_multilabel or (output.width, count) != (1, 2)):
        expected = "two labels" if output.width == 1 else f"{output.width} labels"
        raise UsageError(f"The target type '{target.type}' with {count} labels is not for {made}: it has {expected}")


def arrange(table: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Return the columns that a model was trained on, in its order and under its names."""
    columns = [str(column) for column in table.columns]
    if features.names is None:
        if len(columns) != features.width:
            raise InputError(
                f"The model was trained on {features.width} columns, found {len(columns)}{fitted.separator(table)}"
            )
        return table
    names = list(features.names)
    table = fitted.named(table, names)
    columns = [str(column) for column in table.columns]
    if columns == names:
        return table
    places = {features.written(column): place for place, column in enumerate(columns)}
    places |= {column: place for place, column in enumerate(columns)}
    missing = [name for name in names if name not in places]
    if not missing:
        return table.iloc[:, [places[name] for name in names]].set_axis(names, axis=1)
    if _are_renamed(columns, features, names):
        return table.set_axis(names, axis=1)
    raise fitted.lacking(missing, table, known=names)


def rows(table: pd.DataFrame) -> Any:
    """Return what a booster takes: a sparse table as a matrix, so that its zeros take no memory; any other as it is."""
    return matrices.matrix(table) if sparse.is_sparse(table) else table


def _are_renamed(columns: Sequence[str], features: Features, names: Sequence[str]) -> bool:
    """Say whether the columns stand in the model's order and differ only where their names could not be kept."""
    return len(columns) == len(names) and all(
        features.written(column) == name or set(column) & set(features.refused)
        for column, name in zip(columns, names, strict=True)
    )


def categorical(column: pd.Series[Any], known: Sequence[object]) -> pd.Series[Any]:
    """Return a column as the categories that a model knows, numbers by their value; others are missing values."""
    spelling = {_form(category): place for place, category in enumerate(known)}
    codes = {value: spelling.get(_form(value), -1) for value in column.unique()}
    categories: pd.Index[Any] = pd.Index(list[Any](known))
    return pd.Series(
        pd.Categorical.from_codes([codes.get(value, -1) for value in column], categories), index=column.index
    )


def _form(value: object) -> object:
    text = str(value)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def explained(model: object, table: pd.DataFrame, error: Exception, *, features: Features) -> Exception:
    """Say what is wrong with the table where that can be told; library texts may quote the data and are not used."""
    # Names are shown only where the model knows them: those of a file without a header line are data.
    shown = [str(name) for name in (features.names or range(table.shape[1]))]
    columns = [(name, table.iloc[:, place]) for place, name in enumerate(shown)]
    text = [name for name, column in columns if not _is_usable(column)]
    infinite = [name for name, column in columns if is_numeric_dtype(column) and np.isinf(column.to_numpy(float)).any()]
    name, kind = type(model).__name__, type(error).__name__
    if text or infinite:
        # Types are those of all rows.
        blame = InputError if text else UnusableValues
        return blame(
            f"{name} cannot use the input ({kind}); ",
            *odd_values.texts(columns),
            f"columns that are not numeric: {fitted.some(text)}; columns with infinite values: {fitted.some(infinite)}",
        )
    return UserCodeError(f"{name} raised {kind} on {len(table)} rows and {table.shape[1]} columns")


def _is_usable(column: pd.Series[Any]) -> bool:
    return is_numeric_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)
