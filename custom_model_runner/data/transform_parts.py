"""A transformed table as the named parts of an answer: CSV, MatrixMarket or an Arrow stream, and what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from custom_model_runner import plugins
from custom_model_runner.data import csv_text, sparse, transformed
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import InputError

LINE_END = "\r\n"
VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\b")
# Clients that have an older one read streams of an older form.
FIRST_WITH_NEW_STREAMS = (0, 20)

ArrowVersion = tuple[int, int]


def arrow_version(text: bytes) -> ArrowVersion:
    """Return the first two numbers of a version of Arrow."""
    found = VERSION.match(text.decode("ascii", errors="replace").strip())
    if found is None:
        raise InputError("The form part arrow_version holds no version, expected one such as 15.0.2")
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class Part:
    """One part of an answer; a file is not text."""

    name: str
    content: bytes
    is_file: bool = False


def parts(result: Transformed, arrow: ArrowVersion | None = None) -> Iterator[Part]:
    """Yield the parts; dense tables are Arrow streams where the client tells its version of Arrow."""
    if result.is_sparse:
        yield Part("X.format", b"sparse")
        yield Part("X.transformed", transformed.write(result, transformed.MATRIX_MARKET), is_file=True)
        yield Part("X.colnames", result.names)
    else:
        yield from _dense("X", result.table, arrow)
    if result.target is not None:
        yield from _dense("y", result.target, arrow)


def _dense(name: str, table: pd.DataFrame, arrow: ArrowVersion | None) -> Iterator[Part]:
    filled = plugins.find(plugins.MATRICES).dense(table) if sparse.is_sparse(table) else table
    yield Part(f"{name}.format", b"csv" if arrow is None else b"arrow")
    yield Part(f"{name}.transformed", _csv(filled) if arrow is None else _stream(filled, arrow), is_file=True)


def _csv(table: pd.DataFrame) -> bytes:
    names = [str(name) for name in table.columns]
    text = csv_text.header(names, line_end=LINE_END) + csv_text.lines(table, line_end=LINE_END)
    return text.removesuffix(LINE_END.encode())


def _stream(table: pd.DataFrame, version: ArrowVersion) -> bytes:
    arrow = plugins.find(plugins.FORMATS["arrow"])
    is_legacy = version < FIRST_WITH_NEW_STREAMS
    stream: bytes = arrow.write_legacy_stream(table) if is_legacy else arrow.write(table, plugins.ARROW_STREAM)
    return stream
