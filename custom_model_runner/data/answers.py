"""Predictions as text: the JSON body of an answer, the CSV of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data import cells, csv_text
from custom_model_runner.data.predictions import Predictions


def to_json(predictions: Predictions) -> bytes:
    """Return `{"predictions":[...]}`: values of a single column, else one object per row; extra columns split."""
    body = b'{"predictions":' + _rows(predictions)
    if predictions.extra is not None:
        body += b',"extraModelOutput":' + cells.json_text(_split(predictions.extra))
    return body + b"}"


def _rows(predictions: Predictions) -> bytes:
    if len(predictions.columns) == 1:
        values = predictions.values[:, 0]
        return cells.json_floats(values) if values.dtype.kind == "f" else cells.json_text(values.tolist())
    rows = predictions.values.tolist()
    return cells.json_text([dict(zip(predictions.columns, row, strict=True)) for row in rows])


def _split(extra: pd.DataFrame) -> dict[str, Any]:
    rows = zip(*(plain(column) for _, column in extra.items()), strict=True)
    return {
        "columns": [str(name) for name in extra.columns],
        "index": list(range(len(extra))),
        "data": [list(row) for row in rows],
    }


def plain(column: pd.Series[Any]) -> list[Any]:
    """Return the values of an extra column as JSON takes them; dates are milliseconds since 1970."""
    return _values(_array(_plain_dates(column)))


def _plain_dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates with a time zone as dates in UTC, and other columns as they are."""
    has_zone = isinstance(column.dtype, pd.DatetimeTZDtype)
    return column.dt.tz_convert("UTC").dt.tz_localize(None) if has_zone else column


def _array(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the values of a column; where it can hold missing ones beside integers, these stay integers."""
    is_plain = isinstance(column.dtype, np.dtype)
    return column.to_numpy() if is_plain else column.to_numpy(dtype=object)


def _values(column: np.ndarray[Any, Any]) -> list[Any]:
    """Return plain values; dates are milliseconds since 1970, as pandas writes them in JSON."""
    if column.dtype.kind == "M":
        milliseconds = column.astype("datetime64[ms]").astype(np.int64).tolist()
        missing = np.isnat(column).tolist()
        return [None if gone else value for gone, value in zip(missing, milliseconds, strict=True)]
    values: list[Any] = column.tolist()
    return values


def to_csv(predictions: Predictions) -> bytes:
    """Return a header line and one line per row, extra columns last."""
    columns = list(predictions.columns)
    parts = [predictions.values]
    if predictions.extra is not None:
        columns += [str(name) for name in predictions.extra.columns]
        parts += [_array(column).reshape(-1, 1) for _, column in predictions.extra.items()]
    return csv_text.write(columns, parts)
