"""Tables whose columns store only what is not zero: how to know them."""

from __future__ import annotations

import pandas as pd


def is_sparse(frame: pd.DataFrame) -> bool:
    """Say whether all columns of a table leave out zeros."""
    kinds = set(frame.dtypes)
    return bool(kinds) and all(isinstance(kind, pd.SparseDtype) and kind.fill_value == 0 for kind in kinds)


def is_row(cell: object) -> bool:
    """Say whether a cell is a whole row: pandas makes one column of these when it is given a scipy matrix."""
    return type(cell).__module__.startswith("scipy.sparse")
