"""Columns that hooks get as text since some rows of an input hold text there, though others hold numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from pandas.api.types import is_string_dtype

from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import Pieces, UserCodeError
from custom_model_runner.predictor import Predictor


def why(predictor: Predictor, payload: Payload, error: BaseException | None) -> Pieces:
    """Return what may be why user code has failed for a table, to be added to the message: its first mixed column."""
    # What subclasses tell is not due to what came in.
    if payload.table is None or type(error) is not UserCodeError:
        return ()
    # Hooks may have changed it in place.
    came = predictor.read(replace(payload, table=None))
    return next(filter(None, (_of(str(name), column) for name, column in came.items())), ())


def _of(name: str, column: pd.Series[Any]) -> Pieces:
    if not is_string_dtype(column.dtype):
        return ()
    try:
        is_number = pd.to_numeric(column, errors="coerce").notna()
    except (OverflowError, TypeError, ValueError):
        # Integers that no float holds, and what is no text.
        return ()
    is_text = (column.notna() & ~is_number).to_numpy()
    if is_text.sum() >= is_number.sum():
        return ()
    where = (" but in row ", int(is_text.argmax())) if is_text.any() else (", and text in other rows",)
    return (f"; column {name} is text for the hook: it holds numbers here", *where)
