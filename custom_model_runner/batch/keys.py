"""Columns of the input that are carried along to the output (`--passthrough`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from custom_model_runner import spelling
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import InputError, UsageError
from custom_model_runner.predictor import Predictor


def score(predictor: Predictor, payload: Payload, names: Sequence[str]) -> Predictions:
    """Return predictions with columns of the table as extra ones behind them."""
    if not names:
        return predictor.score(payload)
    payload = _read(predictor, payload)
    keys = _keys(payload, names)
    found = predictor.score(payload)
    return replace(found, extra=_joined(keys, found.columns, found.extra))


def transform(predictor: Predictor, payload: Payload, names: Sequence[str]) -> Transformed:
    """Return a transformed table with columns of the table that came in behind it."""
    if not names:
        return predictor.transform(payload)
    payload = _read(predictor, payload)
    keys = _keys(payload, names)
    found = predictor.transform(payload)
    _check_names(keys, list(found.table.columns))
    return replace(found, table=pd.concat([found.table.reset_index(drop=True), keys], axis=1))


def _read(predictor: Predictor, payload: Payload) -> Payload:
    if predictor.model.read is not None:
        raise UsageError("--passthrough needs a table with columns; the folder reads its input for itself")
    return payload if payload.table is not None else replace(payload, table=predictor.read(payload))


def _keys(payload: Payload, names: Sequence[str]) -> pd.DataFrame:
    """Return the columns of a table; hooks may change it in place later."""
    table = payload.table
    missing = [name for name in names if table is None or name not in table.columns]
    if table is None or missing:
        near = None if table is None else spelling.nearest(missing[0], map(str, table.columns))
        meant = f"; did you mean {near!r}?" if near else ""
        raise InputError(f"--passthrough: the input lacks {len(missing)} of the columns: {', '.join(missing)}{meant}")
    return table[list(names)].reset_index(drop=True).copy()


def _joined(keys: pd.DataFrame, columns: Sequence[str], extra: pd.DataFrame | None) -> pd.DataFrame:
    _check_names(keys, [*columns, *(extra.columns if extra is not None else ())])
    return keys if extra is None else pd.concat([extra.reset_index(drop=True), keys], axis=1)


def _check_names(keys: pd.DataFrame, names: Sequence[object]) -> None:
    same = [name for name in keys.columns if name in set(map(str, names))]
    if same:
        raise UsageError(f"--passthrough: the output has columns of these names already: {', '.join(same)}")
