"""MatrixMarket (math.nist.gov/MatrixMarket): coordinates are a sparse table, an array is a dense one.

What the header declares is held against the size of the body before anything is made of it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
import scipy.io
from pandas.api.types import is_complex_dtype, is_numeric_dtype
from scipy.sparse import coo_matrix, csr_matrix, issparse

from custom_model_runner.data import matrices, sparse
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError

BANNER = re.compile(rb"%%MatrixMarket[ \t]+matrix[ \t]+(\w+)[ \t]+([\w-]+)[ \t]+([\w-]+)[ \t]*\r?\n", re.IGNORECASE)
# Groups are not repeated without a bound: each repetition takes memory.
COMMENT = re.compile(rb"[ \t]*(?:%[^\n]*)?\r?\n")
SIZE = re.compile(rb"[ \t]*(\d+(?:[ \t]+\d+){1,3})[ \t]*\r?(?:\n|$)")
# How many numbers the size line has, and how many stand before the value of an entry.
SIZES = {"coordinate": 3, "array": 2}
# How many words the value of an entry has.
FIELDS = {"real": 1, "double": 1, "integer": 1, "unsigned-integer": 1, "pattern": 0}
WRITTEN = {"i": "integer", "u": "unsigned-integer"}
SYMMETRIES = frozenset({"general", "symmetric", "skew-symmetric"})
# As many as the hashing of words makes by default in common libraries.
MOST_COLUMNS = 1 << 20
MOST_ROWS = 10**8
# Rows may be empty, but so many only where others hold something.
FREE_ROWS = 10**6
ROWS_PER_VALUE = 10
FIRST_ENTRY = re.compile(rb"\S[^\n]*")
# What numbers are written with, infinite and missing ones among them.
WHOLE_NUMBERS = b"0123456789+- \t\r\n"
NUMBERS = WHOLE_NUMBERS + b".eEinfatyINFATY"
SHOWN = 5
SCIPY = tuple(int(part) for part in scipy.__version__.split(".")[:2])
# Before 1.12 scipy knows no comments behind a blank line, and none with blanks in front.
ODD_LINE = re.compile(rb"\n\s")
# And it writes a digit too few; from then on as few as are needed.
PRECISION = 17 if SCIPY < (1, 12) else None
# From 1.18 on it warns those who do not say whether they read a matrix or an array.
KIND_READ = {"spmatrix": False} if SCIPY >= (1, 18) else {}


@dataclass(frozen=True)
class Header:
    """What the first lines declare, and how long they are in bytes; the form decides what `values` counts."""

    form: str
    field: str
    symmetry: str
    rows: int
    columns: int
    values: int
    length: int

    @property
    def words(self) -> int:
        """How many words a line of the body has."""
        return (2 if self.form == "coordinate" else 0) + FIELDS[self.field]

    def lines(self) -> bytes:
        """Return the header without its comments."""
        sizes = [self.rows, self.columns, self.values][: SIZES[self.form]]
        return f"%%MatrixMarket matrix {self.form} {self.field} {self.symmetry}\n{' '.join(map(str, sizes))}\n".encode()


def read(payload: Payload) -> pd.DataFrame:
    """Return the matrix as a table under the payload's column names, else 0 to n-1; zeros are not stored."""
    header = _header(payload.data)
    _check_size(header, len(payload.data))
    payload.check_shape(0, header.columns)
    _check_body(header, payload.data)
    names = _names(payload.column_names, header.columns)
    try:
        matrix = _matrix(header, payload.data)
    except (ValueError, OverflowError, TypeError, IndexError) as error:
        # The library's text may quote the data.
        raise InputError(
            "The MatrixMarket input is broken: expected "
            f"{header.values} lines of {header.words} numbers after the header, within its rows and columns"
        ) from error
    return matrices.table(matrix, names)


def _matrix(header: Header, data: bytes) -> Any:
    if header.values:
        if ODD_LINE.search(data, 0, header.length):
            data = header.lines() + data[header.length :]
        read = scipy.io.mmread(io.BytesIO(data if data.endswith(b"\n") else data + b"\n"), **KIND_READ)
        return coo_matrix(read) if issparse(read) else read
    if FIRST_ENTRY.search(data, header.length):
        raise ValueError("entries that the header does not declare")
    # The library forgets the type of nothing, and does not survive an array without rows.
    kind = np.uint64 if header.field.startswith("unsigned") else np.int64 if "integer" in header.field else np.float64
    shape = header.rows, header.columns
    return np.zeros(shape, kind) if header.form == "array" else coo_matrix(shape, dtype=kind)


def _header(data: bytes) -> Header:
    banner = BANNER.match(data)
    found = SIZE.match(data, _after_comments(data, banner.end())) if banner else None
    if banner is None or found is None:
        raise InputError(
            "The MatrixMarket input is broken: expected a first line such as "
            "'%%MatrixMarket matrix coordinate real general' and a line with its rows, columns and entries"
        )
    form, field, symmetry = (word.decode().lower() for word in banner.groups())
    for what, word, known in (("form", form, SIZES), ("field", field, FIELDS), ("symmetry", symmetry, SYMMETRIES)):
        if word not in known:
            raise InputError(f"The MatrixMarket {what} is not supported; expected one of: {', '.join(sorted(known))}")
    if (form, field) == ("array", "pattern"):
        raise InputError("The MatrixMarket input is broken: an array has values, and its field is 'pattern'")
    sizes = found[1].split()
    # Nobody means a number that long, and it would take long to read.
    if len(sizes) != SIZES[form] or max(map(len, sizes)) > len(str(MOST_ROWS)) * 2:
        raise InputError(f"The MatrixMarket size line is broken: expected {SIZES[form]} numbers that fit the input")
    rows, columns, *values = map(int, sizes)
    if symmetry != "general" and rows != columns:
        raise InputError(f"The MatrixMarket header declares {rows} x {columns}, expected as many of both: {symmetry}")
    return Header(
        form, field, symmetry, rows, columns, values[0] if values else _stored(rows, columns, symmetry), found.end()
    )


def _after_comments(data: bytes, position: int) -> int:
    while comment := COMMENT.match(data, position):
        position = comment.end()
    return position


def _stored(rows: int, columns: int, symmetry: str) -> int:
    """Return how many values of an array are written down."""
    if symmetry == "general":
        return rows * columns
    return rows * (rows + 1) // 2 if symmetry == "symmetric" else rows * (rows - 1) // 2


def _check_size(header: Header, length: int) -> None:
    """Refuse what the body cannot hold, or what nobody could use."""
    # A word has a character and one that ends it; the last end may be missing.
    room = (length - header.length + 1) // (2 * header.words)
    if header.values > room:
        raise InputError(
            f"The MatrixMarket input is cut short: its header declares {header.values} entries, "
            f"the body has room for {room}"
        )
    most_rows = min(MOST_ROWS, max(FREE_ROWS, ROWS_PER_VALUE * header.values))
    if header.rows > most_rows or header.columns > MOST_COLUMNS:
        raise InputError(
            f"The MatrixMarket header declares {header.rows} rows and {header.columns} columns "
            f"for {header.values} entries, expected at most {most_rows} and {MOST_COLUMNS}"
        )


def _check_body(header: Header, data: bytes) -> None:
    """Refuse a body of another field than the header's, which the library would read without a word."""
    first = FIRST_ENTRY.search(data, header.length)
    words = len(first[0].split()) if first else header.words
    if words != header.words:
        raise InputError(
            f"The MatrixMarket input is broken: its first entry has {words} numbers, "
            f"expected {header.words} for '{header.form} {header.field}'"
        )
    is_whole = "integer" in header.field or header.field == "pattern"
    # The library would read behind the end of the body where it ends with anything else.
    if data[header.length :].translate(None, WHOLE_NUMBERS if is_whole else NUMBERS):
        kind = "whole numbers" if is_whole else "numbers"
        raise InputError(f"The MatrixMarket input is broken: its field is '{header.field}', but not all are {kind}")


def write(frame: pd.DataFrame) -> bytes:
    """Return a table of numbers as coordinates, in digits that read back as the same double."""
    if not all(is_numeric_dtype(kind) and not is_complex_dtype(kind) for kind in frame.dtypes):
        raise ContractError("The table holds other values than real numbers, which MatrixMarket cannot")
    matrix = (
        matrices.matrix(frame) if sparse.is_sparse(frame) else csr_matrix(frame.to_numpy(np.float64, na_value=np.nan))
    )
    kind = np.int64 if matrix.dtype.kind == "b" else matrix.dtype if matrix.dtype.kind in "iu" else np.float64
    if not matrix.nnz:
        # The library forgets the type of nothing.
        field = WRITTEN.get(np.dtype(kind).kind, "real")
        rows, columns = matrix.shape
        return Header("coordinate", field, "general", rows, columns, 0, length=0).lines()
    out = io.BytesIO()
    scipy.io.mmwrite(out, matrix.astype(kind).tocoo(), symmetry="general", precision=PRECISION)
    return out.getvalue()


def _names(names: tuple[str, ...] | None, columns: int) -> list[str] | None:
    if names is None:
        return None
    if len(names) != columns:
        raise InputError(f"There are {len(names)} column names for {columns} columns of the MatrixMarket input")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        more = f" and {len(repeated) - SHOWN} more" if len(repeated) > SHOWN else ""
        raise InputError(f"Column names are given more than once: {', '.join(repeated[:SHOWN])}{more}")
    return list(names)
