"""JSON tables: a list of records, the split form of pandas, or an object of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from custom_model_runner.data import cells, column_names, records
from custom_model_runner.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.payload import Payload

FORMS = (
    'a list of records, {"columns": [...], "data": [[...], ...]}, or an object with a list of values for each column'
)
SPLIT = {"columns", "data"}
# The names that MLflow gives to two of the forms.
WRAPPED = ("dataframe_records", "dataframe_split")


def read(payload: Payload) -> pd.DataFrame:
    """Return the table of a JSON body in any of its forms; NaN and infinity, which JSON does not have, are errors."""
    payload.check_size(records.size(payload.data))
    document = records.parse("JSON", payload.data)
    if isinstance(document, dict) and len(document) == 1 and not document.keys().isdisjoint(WRAPPED):
        (document,) = document.values()
    return _read(document, payload)


def _read(document: Any, payload: Payload) -> pd.DataFrame:
    if isinstance(document, list):
        return records.from_rows("JSON", document, check_shape=payload.check_shape)
    if not isinstance(document, dict):
        raise InputError(f"The JSON input is no table, expected {FORMS}")
    if SPLIT <= document.keys() <= SPLIT | {"index"}:
        return _from_split(document["columns"], document["data"], payload)
    payload.check_shape(0, len(document))
    return _from_columns(document)


def _from_split(columns: Any, rows: Any, payload: Payload) -> pd.DataFrame:
    if not _holds(columns, (str, int)) or not _holds(rows, list):
        raise InputError('The JSON input is broken: "columns" must be a list of names, "data" a list of lists')
    names = [str(name) for name in columns]
    column_names.check_in(names, "JSON")
    payload.check_shape(0, len(names))
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise InputError(
                f"The JSON input is ragged: row {number}, counted from 0, has {len(row)} values "
                f"for {len(names)} columns"
            )
    return records.from_lists(names, rows)


def _holds(values: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(values, list) and all(isinstance(value, kinds) for value in values)


def _from_columns(document: Mapping[str, Any]) -> pd.DataFrame:
    """Read a list for each column, or what pandas writes by default: an object from row name to value for each."""
    columns = list(document.values())
    if columns and _holds(columns, dict):
        rows = columns[0].keys()
        if any(column.keys() != rows for column in columns):
            raise InputError("The JSON input is ragged: its columns have different rows")
        return records.from_columns({name: [values[row] for row in rows] for name, values in document.items()})
    if not _holds(columns, list):
        raise InputError(f"The JSON input is no table, expected {FORMS}")
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise InputError(f"The JSON input is ragged: its columns have {lengths[0]} to {lengths[-1]} values")
    return records.from_columns(document)


def write(table: pd.DataFrame, media_type: str) -> bytes:
    """Return the split form, whose columns may have any names; rows are numbered from 0."""
    rows = zip(*(cells.values(column) for _, column in table.items()), strict=True)
    return cells.json_text(
        {
            "columns": [str(name) for name in table.columns],
            "index": list(range(len(table))),
            "data": [list(row) for row in rows],
        }
    )
