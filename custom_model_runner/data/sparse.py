"""Tables whose columns store only what is not zero, and the matrices that libraries take for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from scipy.sparse import issparse

# What pandas calls its accessor is not known to its type information.
FRAME: Any = pd.DataFrame


def table(matrix: Any, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a matrix, sparse or not, as a table; without names its columns are 0 to n-1."""
    made: pd.DataFrame = (
        FRAME.sparse.from_spmatrix(matrix, columns=names) if issparse(matrix) else FRAME(matrix, columns=names)
    )
    return made


def is_sparse(frame: pd.DataFrame) -> bool:
    """Say whether all columns of a table leave out zeros."""
    kinds = set(frame.dtypes)
    return bool(kinds) and all(isinstance(kind, pd.SparseDtype) and kind.fill_value == 0 for kind in kinds)


def matrix(frame: pd.DataFrame) -> Any:
    """Return a sparse table as a scipy matrix by rows."""
    every: Any = frame
    return every.sparse.to_coo().tocsr()
