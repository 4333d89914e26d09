"""MatrixMarket in the tests' own words: scipy changes from version to version what it reads and writes."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix


def read(data: bytes) -> csr_matrix:
    """Return a general matrix of coordinates."""
    banner, *lines = data.decode().splitlines()
    assert banner.startswith("%%MatrixMarket matrix coordinate ")
    assert banner.endswith(" general")
    sizes, *entries = (line.split() for line in lines if not line.startswith("%"))
    rows, columns, values = np.array(entries, dtype=np.float64).reshape(int(sizes[2]), 3).T
    return csr_matrix((values, (rows.astype(int) - 1, columns.astype(int) - 1)), (int(sizes[0]), int(sizes[1])))


def write(matrix: csr_matrix) -> bytes:
    """Return the coordinates of a matrix, every value to its last digit."""
    entries = matrix.tocoo()
    lines = [
        f"{row + 1} {column + 1} {value!r}\n"
        for row, column, value in zip(entries.row, entries.col, entries.data.tolist(), strict=True)
    ]
    head = f"%%MatrixMarket matrix coordinate real general\n%\n{matrix.shape[0]} {matrix.shape[1]} {matrix.nnz}\n"
    return (head + "".join(lines)).encode()
