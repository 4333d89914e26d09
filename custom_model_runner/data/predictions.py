"""From what a model returned to predictions one can rely on: shape, labels, probabilities, row count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data import labels
from custom_model_runner.data.csv_rows import Rows
from custom_model_runner.data.target import DEFAULT_COLUMN, Target
from custom_model_runner.errors import ContractError
from custom_model_runner.target_type import NAMED, NUMERIC, TargetType

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scores:
    """What a model returned: n or n x k values, its own name of each column if it has one, extra columns."""

    values: Array
    labels: Sequence[object] | None = None
    extra: pd.DataFrame | None = None


# Scores rows of which no table was made, or says by None that it takes one.
ScoreRows = Callable[[Rows], "Scores | None"]
# Scores the numbers in a table, or says by None that it takes the table.
ScoreNumbers = Callable[[pd.DataFrame], "Scores | None"]


@dataclass(frozen=True)
class Bare:
    """What scores without a table, and what scores one by its numbers alone, which not all frameworks have.

    `is_by_row` says that rows were seen to be scored alike, whichever others they come with.
    """

    rows: ScoreRows
    numbers: ScoreNumbers | None = None
    is_by_row: bool = False


@dataclass(frozen=True)
class Predictions:
    """Checked predictions: n x k values under k column names, float64 unless the target is text; extra columns."""

    columns: tuple[str, ...]
    values: Array
    extra: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.values)

    def frame(self) -> pd.DataFrame:
        """Return the predictions, without the extra columns, as a DataFrame."""
        frame: pd.DataFrame = pd.DataFrame(self.values, columns=list(self.columns))
        return frame


def from_frame(frame: pd.DataFrame, target: Target) -> Scores:
    """Split the frame of a score hook into predictions and extra columns."""
    names = [str(name) for name in frame.columns]
    wanted = _prediction_columns(names, target)
    if wanted is None:
        return Scores(frame.to_numpy(), names if target.is_classification else None)
    kept = frame.iloc[:, wanted]
    extra = frame.drop(columns=frame.columns[wanted]).reset_index(drop=True)
    return Scores(kept.to_numpy(), [names[index] for index in wanted], extra)


def _prediction_columns(names: list[str], target: Target) -> list[int] | None:
    """Return where the prediction columns stand among extra ones, or None when there are no extra ones."""
    if target.is_classification:
        if len(names) <= len(target.labels):
            return None
        found = [index for index, name in enumerate(names) if name in target.labels]
        return found if len(found) == len(target.labels) else None
    if len(names) <= 1:
        return None
    wanted = _named_column(names, target)
    if names.count(wanted) != 1:
        raise ContractError(f"Expected one column named {wanted!r} among the predictions, found columns {names}")
    return [names.index(wanted)]


def _named_column(names: list[str], target: Target) -> str:
    if target.type not in NAMED or not target.name:
        return DEFAULT_COLUMN
    return target.name if target.name in names else target.name.strip('"')


@contextmanager
def returned_by(hook: str | None) -> Iterator[None]:
    """Have a broken contract name the hook whose result is looked at; None is a framework's model."""
    try:
        yield
    except ContractError as error:
        if hook is None:
            raise
        raise ContractError(*error.args, f" (returned by the {hook} hook)") from error


def marshal(scores: Scores, target: Target, *, rows: int | None = None) -> Predictions:
    """Check and label what a model returned; `rows` is how many predictions must be there, if that is known."""
    values = _two_dimensional(scores.values)
    if rows is not None and len(values) != rows:
        raise ContractError(f"Expected one prediction per row of input: {rows} rows, but {len(values)} predictions")
    if scores.extra is not None and len(scores.extra) != len(values):
        raise ContractError(f"Expected {len(values)} rows of extra output, but found {len(scores.extra)}")
    if target.is_classification:
        columns, values = _probabilities(values, scores.labels, target)
    else:
        columns, values = (DEFAULT_COLUMN,), _single_column(values, target)
    return Predictions(columns, values, scores.extra)


def _two_dimensional(values: Array) -> Array:
    if not isinstance(values, np.ndarray):
        raise ContractError(f"Expected predictions as an array, but found {type(values).__name__}")
    if values.ndim == 1:
        return values.reshape(-1, 1)
    if values.ndim != 2:
        raise ContractError(f"Expected predictions with 1 or 2 dimensions, but found shape {values.shape}")
    return values


def _single_column(values: Array, target: Target) -> Array:
    if values.shape[1] != 1:
        raise ContractError(f"Expected one column of predictions for {target.type}, but found {values.shape[1]}")
    return _floats(values, is_class_target=False) if target.type in NUMERIC else values


def _floats(values: Array, *, is_class_target: bool) -> Array:
    # Dates and complex numbers can be cast, and mean nothing then.
    if values.dtype.kind in "cmM":
        raise _no_numbers(values, is_class_target=is_class_target)
    try:
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise _no_numbers(values, is_class_target=is_class_target) from error


def _no_numbers(values: Array, *, is_class_target: bool) -> ContractError:
    if not any(isinstance(value, (str, bytes)) for value in values.flat):
        return ContractError(f"Expected numbers as predictions, but found values of type {values.dtype}")
    instead = "" if is_class_target else ", such as labels: a classifier needs another --target-type, such as binary"
    return ContractError(f"Expected numbers as predictions, but found text{instead}")


def _probabilities(values: Array, found: Sequence[object] | None, target: Target) -> tuple[tuple[str, ...], Array]:
    columns = target.labels if found is None else labels.align(found, target.labels)
    values = _floats(values, is_class_target=True)
    if found is None and values.shape[1] == 1 and len(columns) == 2:
        # A single value is the probability of the second label: for a binary target the positive one.
        values = np.hstack([1.0 - values, values])
    if values.shape[1] != len(columns):
        raise ContractError(
            f"Expected {len(columns)} columns of predictions, one per class label, but found {values.shape[1]}"
        )
    _check_probabilities(values, is_exclusive=target.type is not TargetType.MULTILABEL)
    return columns, values


def _check_probabilities(values: Array, *, is_exclusive: bool) -> None:
    outside = (values < 0) | (values > 1)
    if outside.any():
        row = int(np.argmax(outside.any(axis=1)))
        raise ContractError("Expected probabilities between 0 and 1, but found others", *_in_row(row, values))
    if not is_exclusive:
        return
    sums = values.sum(axis=1)
    wrong = ~np.isclose(sums, 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ContractError(
            f"Predicted probabilities do not add up to 1 in {int(wrong.sum())} of {len(sums)} rows; "
            f"expected 1 to within 0.00001, found {float(sums[row])!r}",
            *_in_row(row, values),
        )


def _in_row(first: int, values: Array) -> tuple[str | int, ...]:
    return (", first in row ", first) if len(values) > 1 else ()


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of consecutive rows, without extra columns, as one."""
    return Predictions(parts[0].columns, np.concatenate([part.values for part in parts]))


def nothing(target: Target) -> Predictions:
    """Return the predictions for no rows."""
    columns = target.labels if target.is_classification else (DEFAULT_COLUMN,)
    return Predictions(columns, np.empty((0, len(columns))))
