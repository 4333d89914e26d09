"""The columns that a model was fitted on: which of them a table lacks, and how they are named to a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from custom_model_runner import spelling
from custom_model_runner.errors import InputError, MissingColumns

SHOWN = 10
WIDTH = "n_features_in_"
# What stands between the fields of files that are called CSV and are not.
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def missing(names: Iterable[object], table: pd.DataFrame) -> list[object]:
    """Return those of the names that are no column of the table."""
    return [name for name in names if name not in table.columns]


def lacking(names: Iterable[object], table: pd.DataFrame, *, known: Iterable[object]) -> MissingColumns:
    """Return the error that names the columns a table lacks of those known, and what may have become of them."""
    words = [str(name) for name in names]
    others = {str(name) for name in table.columns} - {str(name) for name in known}
    near = next(((name, found) for name in words[:SHOWN] if (found := spelling.nearest(name, sorted(others)))), None)
    meant = f" (found {spelling.quoted(near[1])}, did you mean {near[0]!r}?)" if near else separator(table)
    return MissingColumns(
        f"lacks {len(words)} of the columns that the model was fitted on: {some(words)}{meant}", frozenset(words)
    )


def wrong_width(wanted: int, table: pd.DataFrame) -> InputError:
    """Return the error that says how many columns a model takes that knows no names."""
    return InputError(f"The model was fitted on {wanted} columns, found {table.shape[1]}{separator(table)}")


def separator(table: pd.DataFrame) -> str:
    """Return the end of a message about a table whose only column looks like several, else nothing."""
    if table.shape[1] != 1:
        return ""
    name = str(table.columns[0])
    found = next((words for sign, words in SEPARATORS.items() if sign in name), None)
    return f" (its fields seem to be separated by {found}, expected commas)" if found else ""


def width(model: Any) -> int | None:
    """Return how many columns a model remembers by scikit-learn's conventions, None where it does not."""
    # A dummy of scikit-learn before 1.2 has a property there, which is None and warns of its own end.
    is_dummy = type(model).__module__ == "sklearn.dummy"
    found: int | None = vars(model).get(WIDTH) if is_dummy else getattr(model, WIDTH, None)
    return found


def check(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that a model remembers by scikit-learn's conventions."""
    names, wanted = getattr(model, "feature_names_in_", None), width(model)
    if names is not None:
        table = named(table, names)
        if lost := missing(names, table):
            raise lacking(lost, table, known=names)
    elif wanted is not None and wanted != table.shape[1]:
        raise wrong_width(wanted, table)


def named(table: pd.DataFrame, names: Sequence[object]) -> pd.DataFrame:
    """Return a table that came without names under those of the fit, by position; any other as it is."""
    if not isinstance(table.columns, pd.RangeIndex):
        return table
    if len(names) != table.shape[1]:
        raise InputError(f"The model was fitted on {len(names)} columns, found {table.shape[1]} without names")
    return table.set_axis(list(names), axis=1)


def nameless(model: Any, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table under numbers for names, where scikit-learn would warn that a model was fitted without names.

    Models of others, and functions that were made transformers, may look up columns by name all the same.
    """
    steps = getattr(model, "steps", None)
    first = steps[0][1] if steps else model
    has_names = getattr(model, "feature_names_in_", None) is not None
    is_asked = type(first).__module__.startswith("sklearn.") and type(first).__name__ != "FunctionTransformer"
    if has_names or not is_asked or width(model) is None:
        return table
    return table.set_axis(range(table.shape[1]), axis=1)


def some(names: Iterable[object]) -> str:
    """Return the first of some names, and how many more there are."""
    words = [str(name) for name in names]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return (", ".join(words[:SHOWN]) or "none") + more
