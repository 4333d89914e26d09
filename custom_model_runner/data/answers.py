"""Predictions as bytes: the answer to a request, the file of a batch."""

from __future__ import annotations

import pandas as pd

from custom_model_runner.data import cells, json_table, tables
from custom_model_runner.data.predictions import Predictions

JSON = "application/json"


def write(predictions: Predictions, media_type: str) -> bytes:
    """Return predictions as one of the media types that tables are written as; JSON has a form of its own."""
    return to_json(predictions) if media_type == JSON else tables.write(table(predictions), media_type)


def to_json(predictions: Predictions) -> bytes:
    """Return `{"predictions":[...]}`: values of a single column, else one object per row; extra columns split."""
    parts = [b'{"predictions":', _rows(predictions)]
    if predictions.extra is not None:
        parts += [b',"extraModelOutput":', json_table.write(predictions.extra, JSON)]
    return b"".join((*parts, b"}"))


def _rows(predictions: Predictions) -> bytes:
    if len(predictions.columns) == 1:
        values = predictions.values[:, 0]
        return cells.json_floats(values) if values.dtype.kind == "f" else cells.json_text(values.tolist())
    rows = predictions.values.tolist()
    return cells.json_text([dict(zip(predictions.columns, row, strict=True)) for row in rows])


def table(predictions: Predictions) -> pd.DataFrame:
    """Return predictions and extra columns side by side; a type that is given is one that pandas does not guess."""
    values, extra = predictions.values, predictions.extra
    frame: pd.DataFrame = pd.DataFrame(values, columns=list(predictions.columns), dtype=values.dtype)
    return frame if extra is None else pd.concat([frame, extra.reset_index(drop=True)], axis=1)
