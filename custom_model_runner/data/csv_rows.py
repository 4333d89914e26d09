"""Small CSV bodies that hold nothing but plain numbers, with the values and types of `pandas.read_csv`.

What is not surely read as pandas reads it is not read here.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import pandas as pd

from custom_model_runner.data.payload import COLUMN, Payload

# From about here on pandas is faster.
MOST_BYTES = 3 << 14
MOST_OF_HEADER = 1 << 14
HEADERS_KEPT = 16
# JSON made of these knows numbers only, each written in one way.
PLAIN = b"0123456789+-.eE,\n"
LINE_END = ord("\n")
GAP = re.compile(rb"(?<=[,\n])(?=[,\n])")
# In JSON an integer, which has no sign then; in a column of floats it has one.
NEGATIVE_ZERO = re.compile(rb"(?<![eE])-0(?!\.)")
DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
DIGITS_AND_POINT = bytes.maketrans(b"0123456789.", b"0" * 11)
# Integers of so many digits may not fit in 64 bits.
HUGE = b"0" * 19
# Older versions of pandas read a number that has not more digits, and no larger power of ten, to the last bit.
LONG, LONG_WITH_POINT = b"0" * 16, b"0" * 17
LARGE_POWER = re.compile(rb"[eE][+-]?0*(?:[89]|[1-9][0-9])")


@dataclass(frozen=True, eq=False)
class Header:
    """The columns of a header line; the same line gives the same object while it is remembered."""

    columns: pd.Index[Any]


@dataclass(frozen=True)
class Rows:
    """Rows of numbers under a header; a gap is None. `is_whole` says of each column whether it has integers only."""

    header: Header
    cells: list[list[float | None]]
    is_whole: Sequence[bool]

    def __len__(self) -> int:
        return len(self.cells)

    def array(self) -> np.ndarray[Any, Any]:
        """Return what `to_numpy` gives of the table: integers if there is nothing else, column after column."""
        return np.array(list(zip(*self.cells, strict=True)), np.int64 if all(self.is_whole) else np.float64).T

    def table(self) -> pd.DataFrame:
        """Return what pandas would have read; a hook may change all of it, but not what is remembered."""
        names = self.header.columns.copy(deep=True)
        if len(set(self.is_whole)) == 1:
            return pd.DataFrame(self.array(), columns=names, copy=False)
        kinds = [np.int64 if whole else np.float64 for whole in self.is_whole]
        columns = [np.array(cells, kind) for cells, kind in zip(zip(*self.cells, strict=True), kinds, strict=True)]
        table = pd.DataFrame(dict(enumerate(columns)), copy=False)
        table.columns = names
        return table


def read(payload: Payload) -> Rows | None:
    """Return the rows of a CSV body, or None where pandas must be asked."""
    has_types = payload.types is not None or bool(payload.text_columns)
    if has_types or len(payload.data) > MOST_BYTES:
        return None
    line, _, body = payload.data.replace(b"\r\n", b"\n").partition(b"\n")
    body = body[:-1] if body.endswith(b"\n") else body
    known = header(line) if len(line) <= MOST_OF_HEADER and _is_plain(body) else None
    width = 0 if known is None else len(known.columns)
    if known is None or width * COLUMN > payload.limit:
        return None
    cells = _cells(body)
    if cells is None or set(map(len, cells)) != {width}:
        return None
    if body.count(b".") == len(cells) * width:
        return Rows(known, cells, [False] * width)
    if HUGE in body.translate(DIGITS) or NEGATIVE_ZERO.search(body):
        return None
    return Rows(known, cells, [set(map(type, column)) == {int} for column in zip(*cells, strict=True)])


def _is_plain(body: bytes) -> bool:
    """Say whether there are rows, and nothing in them but gaps and numbers that pandas reads to the last bit."""
    if not body or body.translate(None, PLAIN) or b"\n\n" in body or body[0] == LINE_END or body[-1] == LINE_END:
        return False
    if _is_exact():
        return True
    has_long = LONG in body.translate(DIGITS) or LONG_WITH_POINT in body.translate(DIGITS_AND_POINT)
    return not has_long and LARGE_POWER.search(body) is None


@lru_cache(maxsize=1)
def _is_exact() -> bool:
    """Say whether the installed pandas reads numbers as Python does, to the last bit; older versions do not."""
    numbers = random.Random(0)  # noqa: S311
    texts = [f"{numbers.randrange(10**16)}.{numbers.randrange(10)}e{power}" for power in range(-320, 290, 4)]
    read = pd.read_csv(io.StringIO("\n".join(["a", *texts])), low_memory=False)["a"]
    return [float(text) for text in texts] == read.tolist()


@lru_cache(maxsize=HEADERS_KEPT)
def header(line: bytes) -> Header | None:
    """Return what pandas makes of a header line without quotes, whatever stands below it."""
    if not line.strip() or b'"' in line or b"\r" in line:
        return None
    width = line.count(b",") + 1
    try:
        table = pd.read_csv(io.BytesIO(line + b"\n" + b",".join([b"0"] * width)), low_memory=False)
    except ValueError:
        return None
    return Header(table.columns) if table.shape == (1, width) and table.columns.is_unique else None


def _cells(body: bytes) -> list[list[float | None]] | None:
    if b",," in body or b",\n" in body or b"\n," in body or body[:1] == b"," or body[-1:] == b",":
        body = GAP.sub(b"null", b"\n%b\n" % body)[1:-1]
    try:
        cells: list[list[float | None]] = orjson.loads(b"[[%b]]" % body.replace(b"\n", b"],["))
    except orjson.JSONDecodeError:
        return None
    return cells
