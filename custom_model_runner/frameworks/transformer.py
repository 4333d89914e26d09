"""What makes one table of another by scikit-learn's conventions, whichever library it is from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from custom_model_runner.data import matrices
from custom_model_runner.errors import ContractError, InputError
from custom_model_runner.frameworks import sklearn as conventions


def is_transformer(model: Any) -> bool:
    """Say whether an object can transform."""
    return callable(getattr(model, "transform", None))


def names(model: Any) -> tuple[str, ...] | None:
    """Return the columns that a transformer makes, where it tells them; one that was never fitted is a load error."""
    tell = getattr(model, "get_feature_names_out", None)
    if tell is None:
        return None
    try:
        return tuple(str(name) for name in tell())
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        # One of its steps does not tell, or was never fitted; some need no fit.
        conventions.check_fitted(model)
        return None


def transform(model: Any, table: pd.DataFrame, names: tuple[str, ...] | None) -> pd.DataFrame:
    """Return what a transformer makes of a table, sparse if it gives a sparse matrix."""
    if not len(table):
        conventions.check_columns(model, table)
        return _nothing(model, names)
    return _table(model, conventions.on_table(model.transform, model, table), names)


def _nothing(model: Any, names: tuple[str, ...] | None) -> pd.DataFrame:
    if names is None:
        raise InputError(f"The input has no rows, and {type(model).__name__} tells no names of columns without any")
    return pd.DataFrame(np.empty((0, len(names))), columns=list(names))


def _table(model: Any, made: Any, names: tuple[str, ...] | None) -> pd.DataFrame:
    if isinstance(made, pd.DataFrame):
        return made
    if not (issparse(made) or isinstance(made, np.ndarray)) or made.ndim != 2:
        shape = getattr(made, "shape", None)
        raise ContractError(
            f"{type(model).__name__} made {type(made).__name__} of shape {shape}, expected a DataFrame, "
            "an array of two dimensions or a sparse matrix"
        )
    is_told = names is not None and len(names) == made.shape[1]
    return matrices.table(made, names if is_told else None)
