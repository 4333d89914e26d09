"""Large CSV texts of numbers: read piece by piece, in a fraction of the memory, as `pandas.read_csv` reads the whole.

What is not surely read as the whole is not read here.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from custom_model_runner.data import csv_shape
from custom_model_runner.data.payload import WIDE

LEAST_BYTES = 8 << 20
PIECE = 1 << 20
# At least so much for each column, which takes some time to make, however short it is.
PIECE_OF_COLUMN = 1 << 12
# pandas lets go of the interpreter while it reads.
THREADS = 2
# From here on a float does not tell which integer it was made of.
INEXACT = 2.0**53
# An integer, which has no sign then; in a column that has fractions anywhere it has one.
NEGATIVE_ZERO = re.compile(rb"-0+[ \t]*(?:[,\r\n]|\Z)")
NUMBERS: frozenset[Any] = frozenset({np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.bool_)})
# What a column of such parts is; the whole of all others depends on more than their types.
COMMON: dict[frozenset[Any], Any] = {frozenset({kind}): kind for kind in NUMBERS}
COMMON |= {frozenset({np.dtype(np.int64), np.dtype(np.float64)}): np.dtype(np.float64)}

Column = np.ndarray[Any, Any]
Result = TypeVar("Result")


def is_large(data: bytes) -> bool:
    """Say whether a text is worth being read in pieces."""
    return len(data) >= LEAST_BYTES


def each(data: bytes, use: Callable[[pd.DataFrame], Result]) -> list[Result] | None:
    """Return what a function makes of consecutive rows of a text whose columns are all of numbers or truth values.

    None where a column is not of one type in all of the rows, or where it takes the whole to tell.
    """
    found: list[Result] = []
    types: list[Any] = []
    may_lose_signs = False
    for piece in _pieces(data):
        if piece is None or list(piece.dtypes) != (types or list(piece.dtypes)):
            return None
        types = list(piece.dtypes)
        may_lose_signs = may_lose_signs or _has_zeros_beside_gaps(piece)
        found.append(use(piece))
    return None if may_lose_signs and NEGATIVE_ZERO.search(data) else found or None


def read(data: bytes) -> pd.DataFrame | None:
    """Return the table of a text whose columns are all of numbers or truth values, or None where it takes the whole."""
    pieces = _pieces(data)
    if (first := next(pieces, None)) is None:
        return None
    joined = _Joined(first, csv_shape.count(data, b"\n") - 1 + (not data.endswith(b"\n")))
    if not all(piece is not None and joined.add(piece) for piece in chain([first], pieces)):
        return None
    return joined.table(first.columns) if joined.is_exact(data) else None


def _pieces(data: bytes) -> Iterator[pd.DataFrame | None]:
    """Yield the tables of consecutive rows while the next are read, each with the header of the whole.

    None stands for rows that are not all numbers. There are none of a text whose rows may not end where lines do.
    """
    header = data[: data.find(b"\n") + 1]
    if not is_large(data) or not _is_plain(data, header):
        return
    ahead: deque[Future[pd.DataFrame | None]] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        for text in _texts(data, header):
            ahead.append(threads.submit(_table, header, text))
            if len(ahead) == THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _table(header: bytes, text: memoryview) -> pd.DataFrame | None:
    try:
        table = pd.read_csv(io.BytesIO(b"".join((header, text))), low_memory=False)
    except (pd.errors.ParserError, ValueError, OverflowError):
        return None
    # Names of rows come of rows that are wider than the header.
    is_regular = isinstance(table.index, pd.RangeIndex) and NUMBERS.issuperset(table.dtypes)
    return table if is_regular else None


def _has_zeros_beside_gaps(table: pd.DataFrame) -> bool:
    """Say whether there are floats that may have been integers, which have no sign where they are zero."""
    floats = table.select_dtypes(np.float64).to_numpy()
    with_gaps = np.isnan(floats).any(axis=0)
    return bool((floats[:, with_gaps] == 0).any())


def _is_plain(data: bytes, header: bytes) -> bool:
    """Say whether there are rows, which end where lines do, of more than one column and not of very many."""
    if (
        header.count(b",") >= WIDE
        or len(header) == len(data)
        or b"," not in header
        or header.count(b'"') % 2
        or data.find(b'"', len(header)) >= 0
    ):
        return False
    return b"\r" not in data or csv_shape.count(data, b"\r") == data.count(b"\r\n")


def _texts(data: bytes, header: bytes) -> Iterator[memoryview]:
    """Yield the lines behind the header, as many at a time as are worth a table."""
    text, start = memoryview(data), len(header)
    size = max(PIECE, header.count(b",") * PIECE_OF_COLUMN)
    while start < len(data):
        end = data.rfind(b"\n", start, start + size) + 1 or data.find(b"\n", start + size) + 1 or len(data)
        yield text[start:end]
        start = end


class _Joined:
    """The columns of pieces, those of one type of the first piece beside each other; `kinds` are those that came."""

    def __init__(self, first: pd.DataFrame, rows: int) -> None:
        types = list(first.dtypes)
        self.blocks = {kind: np.empty((types.count(kind), rows), kind) for kind in types}
        places = {kind: iter(block) for kind, block in self.blocks.items()}
        self.columns: list[Column] = [next(places[kind]) for kind in types]
        self.kinds = [{kind} for kind in types]
        self.rows, self.count = rows, 0

    def add(self, piece: pd.DataFrame) -> bool:
        """Take the next rows, unless they have types from which that of the whole cannot be told."""
        end = self.count + len(piece)
        types = list(piece.dtypes)
        for place, kind in enumerate(types):
            self.kinds[place].add(kind)
            common = COMMON.get(frozenset(self.kinds[place]))
            if common is None:
                return False
            self.columns[place] = self.columns[place].astype(common, copy=False)
        # As one array where that holds the columns as they are.
        values = piece.to_numpy().T if len(set(types)) == 1 else [piece.iloc[:, place] for place in range(len(types))]
        for column, new in zip(self.columns, values, strict=True):
            column[self.count : end] = new
        self.count = end
        return True

    def is_exact(self, data: bytes) -> bool:
        """Say whether integers that are floats now are those that pandas makes of their text beside fractions."""
        has_zeros = False
        for column, kinds in zip(self.columns, self.kinds, strict=True):
            values = column[: self.count]
            if values.dtype != np.float64 or (len(kinds) == 1 and not np.isnan(values).any()):
                continue
            if not np.nanmax(np.abs(values), initial=0.0) < INEXACT:
                return False
            has_zeros = has_zeros or bool((values == 0).any())
        return not has_zeros or NEGATIVE_ZERO.search(data) is None

    def table(self, names: pd.Index[Any]) -> pd.DataFrame:
        """Return the table, whose columns lie in memory as if pandas had read them; blank lines were no rows."""
        if len(self.blocks) == 1 and self.count == self.rows and all(len(kinds) == 1 for kinds in self.kinds):
            (block,) = self.blocks.values()
            return pd.DataFrame(block.T, columns=names, copy=False)
        table = pd.DataFrame({place: column[: self.count] for place, column in enumerate(self.columns)}, copy=True)
        return table.set_axis(names, axis=1)
