"""The columns that a model was fitted on: which of them a table lacks, and how they are named to a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from custom_model_runner.errors import InputError

SHOWN = 10


def missing(names: Iterable[object], table: pd.DataFrame) -> list[object]:
    """Return those of the names that are no column of the table."""
    return [name for name in names if name not in table.columns]


def lacking(names: Iterable[object]) -> InputError:
    """Return the error that names the columns a table lacks."""
    words = list(names)
    return InputError(f"The input lacks {len(words)} of the columns that the model was fitted on: {some(words)}")


def named(table: pd.DataFrame, names: Sequence[object]) -> pd.DataFrame:
    """Return a table that came without names under those of the fit, by position; any other as it is."""
    if not isinstance(table.columns, pd.RangeIndex):
        return table
    if len(names) != table.shape[1]:
        raise InputError(f"The model was fitted on {len(names)} columns, found {table.shape[1]} without names")
    return table.set_axis(list(names), axis=1)


def some(names: Iterable[object]) -> str:
    """Return the first of some names, and how many more there are."""
    words = [str(name) for name in names]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return (", ".join(words[:SHOWN]) or "none") + more
