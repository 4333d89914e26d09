"""The floor: read, parse fast, call the model with a DataFrame, write fast, and nothing else.

No checks, no labels from outside, no errors: what is left is the least that any runner must spend.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.csv

SMALL_BODY_BYTES = 50_000
BLOCK_BYTES = 4_000_000

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def create(model_path: str) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """Return the WSGI application for one pickled model."""
    model = pickle.loads(Path(model_path).read_bytes())

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = orjson.dumps({"predictions": _answer(model, _parse(body))})
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    return app


def score(model_path: str, source: str, target: str) -> None:
    """Score a CSV file block by block."""
    model = pickle.loads(Path(model_path).read_bytes())
    options = pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES)
    writer = None
    with pyarrow.csv.open_csv(source, read_options=options) as blocks:
        for block in blocks:
            table = pa.table(_columns(model, block.to_pandas()))
            writer = writer or pyarrow.csv.CSVWriter(target, table.schema)
            writer.write(table)
    if writer:
        writer.close()


def _parse(body: bytes) -> pd.DataFrame:
    # Starting pyarrow's reader takes longer than splitting some thousand cells.
    if len(body) > SMALL_BODY_BYTES:
        table = pyarrow.csv.read_csv(BytesIO(body))
        large: pd.DataFrame = table.to_pandas()
        return large
    header, *rows = body.decode().split()
    cells = np.array([row.split(",") for row in rows], dtype=np.float64)
    small: pd.DataFrame = pd.DataFrame(cells, columns=header.split(","))
    return small


def _answer(model: Any, frame: pd.DataFrame) -> list[Any]:
    if not hasattr(model, "predict_proba"):
        return list(model.predict(frame).tolist())
    labels = model.classes_.tolist()
    return [dict(zip(labels, row, strict=True)) for row in model.predict_proba(frame).tolist()]


def _columns(model: Any, frame: pd.DataFrame) -> dict[str, Any]:
    if not hasattr(model, "predict_proba"):
        return {"Predictions": model.predict(frame)}
    return dict(zip(model.classes_.tolist(), model.predict_proba(frame).T, strict=True))


if __name__ == "__main__":
    score(*sys.argv[1:])
