"""Tables in every format that a server reads, and forms that hold them, as strategies."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

import pandas
import pyarrow
import pyarrow.feather
from hypothesis import strategies


@dataclass(frozen=True)
class Form:
    """The parts of a form, and their content types."""

    parts: dict[str, str]
    types: dict[str, str]


def written(table: pandas.DataFrame, form: str) -> bytes:
    """Return a table in one of the binary formats."""
    sink = io.BytesIO()
    if form == "parquet":
        table.to_parquet(sink)
    elif form == "file":
        pyarrow.feather.write_feather(pyarrow.Table.from_pandas(table), sink, compression="uncompressed")
    else:
        arrow = pyarrow.Table.from_pandas(table)
        with pyarrow.ipc.new_stream(sink, arrow.schema) as writer:
            writer.write_table(arrow)
    return sink.getvalue()


NUMBERS = strategies.lists(strategies.floats(allow_nan=False, width=32), min_size=1, max_size=5)
COLUMN = NUMBERS.map(lambda numbers: pandas.DataFrame({"x": numbers}))
LINES = COLUMN.map(lambda table: table.to_json(orient="records", lines=True).encode())
SPLIT = COLUMN.map(lambda table: table.to_json(orient="split"))
CSV = COLUMN.map(lambda table: table.to_csv(index=False))
MATRICES = NUMBERS.map(
    lambda numbers: "\n".join(["%%MatrixMarket matrix array real general", f"{len(numbers)} 1", *map(str, numbers), ""])
)
STREAMS, FILES, PARQUET = (COLUMN.map(partial(written, form=form)) for form in ("stream", "file", "parquet"))
# What schemathesis cannot make of a schema.
BY_MEDIA_TYPE: dict[str, strategies.SearchStrategy[bytes]] = {
    "application/vnd.apache.arrow.stream": STREAMS,
    "application/x-apache-arrow-stream": STREAMS,
    "application/vnd.apache.arrow.file": FILES,
    "application/vnd.apache.parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "application/x-ndjson": LINES,
    "application/ndjson": LINES,
    "application/jsonlines": LINES,
    "application/x-jsonlines": LINES,
}


def forms(*, with_target: bool) -> strategies.SearchStrategy[Form]:
    """Return forms that hold a table, and perhaps a target and the version of the client's Arrow."""
    csv = CSV.map(lambda text: Form({"X": text}, {"X": "text/csv"}))
    split = SPLIT.map(lambda text: Form({"X": text}, {"X": "application/json"}))
    named = {"X": "text/mtx", "X.colnames": "text/plain"}
    matrix = MATRICES.map(lambda text: Form({"X": text, "X.colnames": "x\n"}, named))
    if not with_target:
        return csv | split | matrix
    target = {"X": "text/csv", "y": "text/csv", "arrow_version": "text/plain"}
    both = CSV.map(lambda text: Form({"X": text, "y": text, "arrow_version": "15.0.2"}, target))
    return csv | split | matrix | both
