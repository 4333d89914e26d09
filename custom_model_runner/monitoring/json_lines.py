"""A report as lines of JSON, in the form that docs/monitoring.md describes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import orjson
import pandas as pd

from custom_model_runner.data import cells
from custom_model_runner.data.report import Report, Samples, Subject

# Short enough that files can be changed between lines.
BYTES_PER_LINE = 400_000
# Up to here a column by itself costs more than its values.
SMALL = 1000
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE


def write(report: Report, subject: Subject, *, dropped: int) -> Iterator[bytes]:
    """Yield the lines of a report; the first tells how many reports before it were dropped."""
    time = datetime.fromtimestamp(report.time, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    common = {
        "time": time,
        "deployment_id": subject.deployment_id,
        "model_id": subject.model_id,
        "request_id": report.request_id,
    }
    for contents in _contents(report):
        yield _line({"kind": contents.pop("kind"), **common, "dropped": dropped, **contents})
        dropped = 0


def _contents(report: Report) -> Iterator[dict[str, Any]]:
    if report.stats is not None:
        yield {
            "kind": "deployment_stats",
            "num_predictions": report.stats.num_predictions,
            "execution_time_ms": round(report.stats.execution_time_ms, 3),
        }
    if report.samples is not None:
        step = max(1, BYTES_PER_LINE * len(report.samples) // max(1, report.weight))
        for start in range(0, max(1, len(report.samples)), step):
            yield _samples(report.samples, slice(start, start + step))


def _samples(samples: Samples, rows: slice) -> dict[str, Any]:
    features, predictions, ids = samples.features, samples.predictions, samples.association_ids
    return {
        "kind": "predictions_data",
        "first_row": rows.start,
        "rows": len(range(len(samples))[rows]),
        "features": None if features is None else _columns(features.iloc[rows]),
        "predictions": None if predictions is None else _values(predictions[rows]),
        "class_names": samples.class_names,
        "association_ids": None if ids is None else ids[rows],
    }


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    return {"columns": [str(name) for name in table.columns], "values": _values_of(table)}


def _values_of(table: pd.DataFrame) -> Any:
    """Return a list of values for each column; all at once in a small table, and where they are numbers of one kind."""
    if table.size <= SMALL:
        # By way of a table, since older versions of pandas make numbers of dates otherwise.
        return table.astype(object).to_numpy().T.tolist()
    kinds = set(table.dtypes)
    is_one_block = len(kinds) == 1 and isinstance(kind := kinds.pop(), np.dtype) and kind.kind in "biuf"
    return _values(table.to_numpy().T) if is_one_block else [_values(column.to_numpy()) for _, column in table.items()]


def _values(values: np.ndarray[Any, Any]) -> Any:
    """Return an array that is fast to write, or a list."""
    if values.dtype.kind == "f":
        return np.ascontiguousarray(values, dtype=np.float64)
    if values.dtype.kind in "mM":
        # In nanoseconds a date would come out as a number.
        return values.astype(f"{values.dtype.kind}8[us]").tolist()
    is_plain = values.dtype.kind in "biu" and values.dtype.isnative
    return np.ascontiguousarray(values) if is_plain else values.tolist()


def _plain(value: Any) -> Any:
    if value is pd.NaT:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else cells.plain(value)


def _line(record: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(record, default=_plain, option=OPTIONS)
    except TypeError:
        # Integers beyond 64 bits, broken characters: rather their text than no report.
        return orjson.dumps(_texts(record), default=_plain, option=OPTIONS)


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _texts(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(one) for one in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return str(value) if isinstance(value, int) and value.bit_length() > 63 else value
