"""What a transform model returned, as a table one can rely on: clean names, one row for each row that came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custom_model_runner import plugins
from custom_model_runner.data import csv_text, sparse, tables
from custom_model_runner.errors import ContractError, InputError

MATRIX_MARKET = "text/mtx"
# A table, and its target if that came along, to another table.
Convert = Callable[[Any, "pd.DataFrame | None"], pd.DataFrame]


@dataclass(frozen=True)
class Transformed:
    """A transformed table, and the target as it came along, unchanged."""

    table: pd.DataFrame
    target: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def is_sparse(self) -> bool:
        """Say whether the table stores only what is not zero."""
        return sparse.is_sparse(self.table)

    @property
    def names(self) -> bytes:
        """The names of the columns, one a line."""
        return "\n".join(self.table.columns).encode()


def convert(call: Convert, table: Any, target: pd.DataFrame | None) -> Transformed:
    """Call a transform model with what was read; without a table of rows the number of rows is the user's affair."""
    rows = len(table) if isinstance(table, pd.DataFrame) else None
    if rows is not None and target is not None and len(target) != rows:
        raise InputError(f"The target has {len(target)} rows, expected one for each of the {rows} rows of the table")
    # The hook gets a copy: the target goes back as it came.
    result = call(table, None if target is None else target.copy())
    return check(result, rows=rows, target=target)


def check(result: pd.DataFrame, *, rows: int | None = None, target: pd.DataFrame | None = None) -> Transformed:
    """Name the columns and check the shape of a result; `rows` is how many there must be, if that is known."""
    table = _filled(result)
    if not table.shape[1]:
        raise ContractError("The transform returned a table without columns")
    if rows is not None and len(table) != rows:
        raise ContractError(f"The transform must keep the rows: {rows} came in, but {len(table)} went out")
    names = [_name(name, place) for place, name in enumerate(table.columns)]
    return Transformed(table.set_axis(names, axis=1), target)


def write(result: Transformed, media_type: str) -> bytes:
    """Return the table as MatrixMarket, or with its zeros as one of the media types that tables are written as."""
    if media_type == MATRIX_MARKET:
        written: bytes = plugins.find(plugins.FORMATS["mtx"]).write(result.table)
        return written
    if not result.is_sparse or media_type != tables.CSV:
        return tables.write(dense(result), media_type)
    matrices = plugins.find(plugins.MATRICES)
    names = csv_text.header(list(result.table.columns))
    return b"".join([names, *(csv_text.lines(block) for block in matrices.blocks(result.table))])


def dense(result: Transformed) -> pd.DataFrame:
    """Return the table with its zeros."""
    if not result.is_sparse:
        return result.table
    filled: pd.DataFrame = plugins.find(plugins.MATRICES).dense(result.table)
    return filled


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of cells; pandas makes one column of rows when it is given a scipy matrix."""
    if table.shape[1] != 1 or not len(table) or not sparse.is_row(table.iat[0, 0]):
        return table
    filled: pd.DataFrame = plugins.find(plugins.MATRICES).from_rows(table.iloc[:, 0])
    return filled


def _name(name: Any, place: int) -> str:
    text = str(name).strip().replace("\n", "\\n")
    if not text:
        raise ContractError(f"The transform returned a table in which column {place} has no name (counted from 0)")
    return text
