"""A model, and the framework that knows what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner import border, plugins
from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import ContractError, LoadError, PayloadTooLarge, RunnerError
from custom_model_runner.target_type import TargetType

# Whose methods an object of another library has, when it can transform.
CONVENTIONS = "scikit-learn"

# What is found in artifacts instead of models.
FUNCTIONS = (FunctionType, BuiltinFunctionType)
COLLECTIONS = (dict, list, tuple, set, frozenset, str, bytes)
DATA = (np.ndarray, np.generic, pd.DataFrame, pd.Series)


@dataclass(frozen=True)
class Estimator:
    """A model object and the framework module that knows how to use it."""

    model: Any
    framework: str
    library: ModuleType

    def hint(self) -> Hint | None:
        """Return what the model reveals about its target."""
        hint: Hint | None = self.library.hint(self.model)
        return hint

    def check(self, target: Target) -> None:
        """Refuse, at load, a model that cannot give what the target needs."""
        self.library.check(self.model, target)

    def check_columns(self, table: pd.DataFrame) -> None:
        """Refuse a table without the columns that the model was fitted on, where it knows them."""
        self.library.check_columns(self.model, table)

    def score(self, table: Any, target: Target) -> Scores:
        """Return what the model predicts for a table."""
        _check_table(table, hook="score")
        scores: Scores = _call(self.library.score, self.model, table, target)
        return scores

    def prove_bare(self, target: Target) -> Bare | None:
        """Return what scores without a table, if the framework knows how and saw that it makes no difference.

        What goes wrong there is left to the way with a table, which says what it was.
        """
        prove = getattr(self.library, "bare", None)
        bare: Bare | None = None if prove is None else _or_none(prove, self.model, target)
        if bare is None:
            return None
        numbers = None if bare.numbers is None else partial(_or_none, bare.numbers)
        return replace(bare, rows=partial(_or_none, bare.rows), numbers=numbers)


@dataclass(frozen=True)
class Transformer:
    """An object that makes one table of another, and the names of the columns that it makes, where it tells them."""

    model: Any
    framework: str
    library: ModuleType
    names: tuple[str, ...] | None

    def transform(self, table: Any) -> pd.DataFrame:
        """Return what the object makes of a table."""
        _check_table(table, hook="transform")
        made: pd.DataFrame = _call(self.library.transform, self.model, table, self.names)
        return made


def _or_none(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return border.call(function, *args, failing="")
    except RunnerError:
        return None


def _call(function: Callable[..., Any], model: Any, table: pd.DataFrame, fact: object) -> Any:
    """Call what a framework module does with a table; too little memory is the table's fault."""

    def within_memory() -> Any:
        try:
            return function(model, table, fact)
        except MemoryError as error:
            rows, columns = table.shape
            raise PayloadTooLarge(
                f"{type(model).__name__} needs more memory than there is for {rows} rows and {columns} columns"
            ) from error

    return border.call(within_memory, failing=f"{type(model).__name__} failed. Exception:")


def _check_table(table: Any, *, hook: str) -> None:
    if not isinstance(table, pd.DataFrame):
        raise ContractError(
            f"The read_input_data hook returned {type(table).__name__}; without a {hook} hook it must be a DataFrame"
        )


def recognise(model: object) -> Estimator | None:
    """Return the model with the framework that claims it by the packages its classes come from.

    A pipeline belongs to the framework of its last step.
    """
    for part in (last_step(model), model):
        packages = {cls.__module__.partition(".")[0] for cls in type(part).__mro__}
        for name, line in plugins.FRAMEWORKS.items():
            if packages & set(line.packages):
                return Estimator(model, name, plugins.find(line))
    return None


def last_step(model: object) -> object:
    """Return the last step of a pipeline, else the model itself."""
    steps = getattr(model, "steps", None)
    is_pipeline = isinstance(steps, list) and steps and isinstance(steps[-1], tuple) and len(steps[-1]) == 2
    return steps[-1][1] if steps and is_pipeline else model


def require(model: object) -> Estimator:
    """Return the model with its framework; a model that none claims is a load error."""
    estimator = recognise(model)
    if estimator is None:
        found, step = _kind(model)
        raise LoadError(
            "Could not find any framework to handle loaded model and a score hook is not provided: "
            f"found {found}, expected a fitted model of: {', '.join(plugins.FRAMEWORKS)}; {step}"
        )
    return estimator


def require_transformer(model: object) -> Transformer:
    """Return the model as a transformer, of whatever library; one that cannot transform is a load error."""
    library = plugins.find(plugins.TRANSFORMER)
    if not library.is_transformer(model):
        raise LoadError(
            f"The target type 'transform' needs a model that can transform, found {type(model).__name__} without a "
            "transform method: write a transform hook or choose another --target-type"
        )
    known = recognise(model)
    failing = f"{type(model).__name__} does not tell the names of its columns. Exception:"
    names = border.call(library.names, model, failing=failing, as_error=LoadError)
    return Transformer(model, known.framework if known else CONVENTIONS, library, names)


def abilities(model: object, target: Target) -> tuple[str, dict[str, Any]]:
    """Return the framework of a model, and what it can do for a target without hooks, by field of the model record."""
    if target.type is TargetType.TRANSFORM:
        transformer = require_transformer(model)
        return transformer.framework, {"convert": lambda table, _target: transformer.transform(table)}
    scorer = require(model)
    scorer.check(target)
    return scorer.framework, {
        "score": lambda table, _context: scorer.score(table, target),
        "check_columns": scorer.check_columns,
        "prove_bare": partial(scorer.prove_bare, target),
    }


def _kind(model: object) -> tuple[str, str]:
    """Return what an object is, and what to do about it."""
    name = f"{type(model).__module__}.{type(model).__qualname__}"
    if isinstance(model, type):
        return f"the class {model.__module__}.{model.__qualname__} itself", "save an instance of it that was fitted"
    if isinstance(model, FUNCTIONS):
        return f"the function {model.__qualname__}", "call it in a score hook"
    if isinstance(model, COLLECTIONS):
        return (
            f"a {type(model).__name__} of length {len(model)}",
            "save the model alone, or pick it in a load_model hook",
        )
    if isinstance(model, DATA):
        return f"data, a {name} of shape {model.shape}", "save the fitted model instead"
    return name, "write a score hook"
