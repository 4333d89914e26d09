"""Tables from matrices and matrices from tables, sparse ones above all. What needs scipy is here and stays here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse, vstack

from custom_model_runner.errors import PayloadTooLarge

Array = np.ndarray[Any, Any]

# What a table may take that was sparse, for those who need it whole.
MOST_DENSE_BYTES = 1 << 31
BLOCK_CELLS = 1 << 20
# What pandas calls its accessor is not known to its type information.
FRAME: Any = pd.DataFrame


def table(matrix: Any, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a matrix, sparse or not, as a table; without names its columns are 0 to n-1."""
    made: pd.DataFrame = (
        FRAME.sparse.from_spmatrix(matrix, columns=names) if issparse(matrix) else FRAME(matrix, columns=names)
    )
    return made


def from_rows(rows: Iterable[Any]) -> pd.DataFrame:
    """Return one table of many matrices of one row."""
    return table(vstack(list(rows), format="csr"))


def dense(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a sparse table with its zeros, in memory that is bounded."""
    return pd.DataFrame(array(frame), columns=frame.columns, index=frame.index)


def array(frame: pd.DataFrame, dtype: Any = None) -> Array:
    """Return a sparse table as an array, in memory that is bounded."""
    return filled(matrix(frame), dtype)


def filled(narrow: Any, dtype: Any = None) -> Array:
    """Return a sparse matrix with its zeros; one that would need too much memory is an input error."""
    kind = np.dtype(dtype or narrow.dtype)
    check_filled(narrow.shape, kind)
    array: Array = narrow.astype(kind, copy=False).toarray()
    return array


def check_filled(shape: tuple[int, int], kind: np.dtype[Any]) -> None:
    """Refuse a shape that would need too much memory with its zeros."""
    size = shape[0] * shape[1] * kind.itemsize
    if size > MOST_DENSE_BYTES:
        raise PayloadTooLarge(
            f"The sparse table of {shape[0]} rows and {shape[1]} columns would take {size >> 20} MiB with its zeros; "
            f"expected at most {MOST_DENSE_BYTES >> 20}: send fewer rows at a time"
        )


def blocks(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield a sparse table with its zeros, some rows at a time."""
    narrow = matrix(frame)
    rows = max(1, BLOCK_CELLS // max(1, frame.shape[1]))
    for start in range(0, len(frame), rows):
        yield pd.DataFrame(narrow[start : start + rows].toarray(), columns=frame.columns)


def matrix(frame: pd.DataFrame) -> Any:
    """Return a sparse table as a scipy matrix by rows."""
    every: Any = frame
    return every.sparse.to_coo().tocsr()
