"""Every form of a table, and the bad bodies that all of them have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from . import columnar, texts, writers
from .case import GOOD, PREDICTED, Case, Columns, too_large


@dataclass(frozen=True)
class Form:
    """A way to write a table: its format, how it is named, how it is written, and the bad bodies of its own."""

    format: str
    media_type: str
    suffix: str
    write: Callable[[Columns], bytes]
    own: Callable[[], Mapping[str, Case]]
    is_text: bool = True
    # A table without rows has columns, too.
    names_columns: bool = True


STREAM, FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"

FORMS: Mapping[str, Form] = {
    "csv": Form("csv", "text/csv", ".csv", writers.csv, texts.of_csv),
    "json records": Form(
        "json", "application/json", ".json", writers.json_records, texts.of_records, names_columns=False
    ),
    "json split": Form("json", "application/json", ".json", writers.json_split, texts.of_split),
    "json columns": Form("json", "application/json", ".json", writers.json_columns, texts.of_columns),
    "ndjson": Form("ndjson", "application/x-ndjson", ".ndjson", writers.ndjson, texts.of_ndjson, names_columns=False),
    "arrow stream": Form(
        "arrow", STREAM, ".arrows", writers.arrow_stream, lambda: columnar.of_arrow(pa.ipc.new_stream), is_text=False
    ),
    "arrow file": Form(
        "arrow", FILE, ".arrow", writers.arrow_file, lambda: columnar.of_arrow(pa.ipc.new_file), is_text=False
    ),
    "parquet": Form("parquet", PARQUET, ".parquet", writers.parquet, columnar.of_parquet, is_text=False),
    "mtx": Form("mtx", "text/mtx", ".mtx", writers.mtx, texts.of_mtx),
}


def of_every_form(form: Form) -> Mapping[str, Case]:
    """Return the bodies that every form has."""
    return {
        "the table itself": Case(form.write(GOOD), PREDICTED),
        "nothing": Case(b""),
        "a byte": Case(b"\xff"),
        "cut short": Case(cut_short(form)),
        "a third": Case(cut_short(form, 1 / 3)),
        "wrong magic": Case(b"\x89PNG\r\n" + form.write(GOOD)[6:]),
        "no columns": Case(form.write({})),
        "one column": Case(form.write({"a": [1.0]})),
        "no rows": Case(form.write({"a": [], "b": []}), [] if form.names_columns else None),
        "an integer of 64 bits": Case(form.write({"a": [2**63], "b": [0]}), [2.0**64]),
        "a missing value": Case(_with(None, form)),
        "an infinite value": Case(_with(math.inf, form)),
        "text for numbers": Case(form.write({"a": ["x", "y"], "b": [2.0, 3.0]})),
        **(_encoded_otherwise(form) if form.is_text else {}),
    }


def cut_short(form: Form, share: float = 5 / 6) -> bytes:
    """Return the beginning of a table; text ends behind a comma, so that a value is missing at least."""
    whole = form.write({"a": [1.0] * 100, "b": [0.25] * 100})
    return whole[: int(len(whole) * share)].rstrip(b"\n0123456789.")


def with_many_columns(form: Form) -> Mapping[str, Case]:
    """Return tables that are wider than the model, within the limit and beyond it."""
    within, beyond = (form.write({f"c{number}": [1.0] for number in range(columns)}) for columns in (10_000, 100_000))
    return {"10,000 columns": Case(within, words="found 10000"), "100,000 columns": too_large(beyond)}


def that_hooks_may_take(form: Form) -> Mapping[str, Case]:
    """Return what not every model can use, and what a multiplication makes of it; JSON has no infinities."""
    predictions = [4.0, None]
    return {
        "a missing value": Case(_with(None, form), predictions),
        "an infinite value": Case(_with(math.inf, form), None if "json" in form.format else predictions),
        "an integer of 64 bits": Case(form.write({"a": [2**63], "b": [0]}), [2.0**64]),
        "no rows": Case(form.write({"a": [], "b": []}), [] if form.names_columns else None),
    }


def _with(value: float | None, form: Form) -> bytes:
    return form.write({"a": [1.0, value], "b": [2.0, 3.0]})


def _encoded_otherwise(form: Form) -> Mapping[str, Case]:
    """Text in encodings other than UTF-8; what is not text has none."""
    text = form.write(GOOD).decode("latin-1")
    return {
        "UTF-16": Case(text.encode("utf-16")),
        "UTF-16 without a mark": Case(text.encode("utf-16-le")),
        "UTF-32": Case(text.encode("utf-32")),
        "NUL bytes": Case(text.replace("1", "\0").encode("latin-1")),
        "Latin-1": Case(text.replace("1", "\xe9").encode("latin-1")),
    }
