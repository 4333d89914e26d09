"""Tables for models that know columns by position: one matrix in, and what such a model must give for a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype
from scipy.sparse import issparse

from custom_model_runner.data import matrices, sparse
from custom_model_runner.data.target import Target
from custom_model_runner.errors import InputError, LoadError, UnusableValues, UsageError
from custom_model_runner.estimator import last_step
from custom_model_runner.frameworks import fitted, odd_values
from custom_model_runner.target_type import NUMERIC

Array = np.ndarray[Any, Any]

# Sums of a few hundred trees or exponentials in float32 miss 1 by this much.
ROUNDING = 1e-6


def prepare(model: Any, table: pd.DataFrame, dtype: Any = np.float32) -> Array:
    """Return what a model takes: the table, or what the earlier steps of its pipeline make of it, as one matrix."""
    if last_step(model) is model:
        return numbers(table, dtype)
    values = _before_last(model, _in_fitted_order(model, table))
    values = matrices.filled(values, dtype) if issparse(values) else np.asarray(values)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(
            f"The last step of the pipeline takes a matrix of numbers; the steps before it made {values.ndim} "
            f"dimensions of {values.dtype} from the input"
        )
    return np.require(values, dtype, ["C", "W"])


def _in_fitted_order(model: Any, table: pd.DataFrame) -> pd.DataFrame:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return fitted.nameless(model, table)
    table = fitted.named(table, names)
    missing = fitted.missing(names, table)
    if missing:
        raise fitted.lacking(missing, table, known=names)
    # Columns that the first step was not fitted on cannot change what it gives.
    return table[list(names)]


def _before_last(model: Any, table: pd.DataFrame) -> Any:
    values: Any = table
    try:
        for _, step in model.steps[:-1]:
            values = values if step in (None, "passthrough") else step.transform(values)
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        # The library's text may quote the data.
        raise UnusableValues(
            f"The steps before the last of the pipeline cannot use the input ({type(error).__name__}): "
            f"{table.shape[1]} columns; columns that are not numeric: {fitted.some(_not_numeric(table))}; "
            f"columns with missing values: {fitted.some(np.flatnonzero(table.isna().any()))}"
        ) from error
    return values


def numbers(table: pd.DataFrame, dtype: Any = np.float32) -> Array:
    """Return a table as one matrix by position; a value that the type cannot hold is an input error.

    Columns are named by position: the names in a file without a header line are data.
    """
    text = _not_numeric(table)
    if text:
        raise InputError(
            "The model takes numbers; ",
            *odd_values.texts((str(place), table.iloc[:, place]) for place in text),
            f"columns that are not numeric: {fitted.some(text)} (counted from 0)",
        )
    is_sparse = sparse.is_sparse(table)
    if is_sparse:
        matrices.check_filled(table.shape, np.dtype(dtype))
    if np.dtype(dtype).kind != "f":
        return _whole_numbers(table, dtype)
    # What is too large for a narrow type becomes infinite, as it does in every framework.
    with np.errstate(over="ignore"):
        values = matrices.array(table, dtype) if is_sparse else table.to_numpy(dtype, na_value=np.nan)
        return np.require(values, dtype, ["C", "W"])


def _not_numeric(table: pd.DataFrame) -> list[int]:
    return [position for position, kind in enumerate(table.dtypes) if not is_numeric_dtype(kind)]


def _whole_numbers(table: pd.DataFrame, dtype: Any) -> Array:
    whole = np.empty(table.shape, dtype)
    wrong = []
    for position in range(table.shape[1]):
        column = table.iloc[:, position]
        is_whole = (is_integer_dtype(column.dtype) or is_bool_dtype(column.dtype)) and not column.isna().any()
        values = column.to_numpy() if is_whole else column.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore", over="ignore"):
            whole[:, position] = values.astype(dtype)
        if not np.array_equal(whole[:, position], values):
            wrong.append(position)
    if wrong:
        raise UnusableValues(
            f"The model takes {np.dtype(dtype).name} values, without gaps; "
            f"columns with others: {fitted.some(wrong)} (counted from 0)"
        )
    return whole


def check_columns(found: int, expected: int | None) -> None:
    """Refuse a table of another width than the model's, where that is known."""
    if expected is not None and found != expected:
        raise InputError(f"The model takes {expected} columns, found {found}")


def settle(values: Array, given: Array, target: Target) -> Array:
    """Return probabilities without their rounding errors; where gaps in the input leave none, blame the input."""
    if not target.is_classification:
        return values
    gaps = np.flatnonzero(~np.isfinite(given).all(axis=0)) if np.isnan(values).any() else ()
    if len(gaps):
        raise UnusableValues(
            "The model gives no probabilities where values are missing or infinite; "
            f"columns with such values: {fitted.some(gaps)} (counted from 0)"
        )
    return within_bounds(values)


def within_bounds(values: Array) -> Array:
    """Return probabilities with what is beyond 0 or 1 by a rounding error of single precision cut off."""
    cut = np.clip(values, 0, 1)
    return cut if np.allclose(cut, values, rtol=0, atol=ROUNDING, equal_nan=True) else values


def check_target(target: Target, framework: str) -> None:
    """Refuse a target type whose predictions are neither numbers nor probabilities."""
    if not target.is_classification and target.type not in NUMERIC:
        raise LoadError(f"{framework} models do not predict the target type '{target.type}'; write a score hook")


def check_outputs(found: int | None, target: Target) -> None:
    """Refuse a model that gives another number of values per row than the target needs, where that is known."""
    wanted = len(target.labels) if target.is_classification else 1
    # One value of two is enough: the other is its complement.
    if found is None or found == wanted or (found == 1 and wanted == 2):
        return
    labels = f" with {wanted} labels" if target.is_classification else ""
    raise UsageError(
        f"The model gives {found} values per row, but the target type '{target.type}'{labels} needs {wanted}: "
        "give the target type and the class labels that the model was made for"
    )
