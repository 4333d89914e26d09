"""Format rounds: the same rows are read, and the same predictions written, in each format in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.samples import Sample
from custom_model_runner.data import answers, tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM, NDJSON, PARQUET

CSV = "csv"
MEDIA_TYPES = {
    CSV: "text/csv",
    "json": "application/json",
    "ndjson": NDJSON,
    "arrow stream": ARROW_STREAM,
    "arrow file": ARROW_FILE,
    "parquet": PARQUET,
}


def payloads(source: Path) -> dict[str, Payload]:
    """Return the rows of a CSV file in every format, as they would come in."""
    text = Payload(source.read_bytes(), MEDIA_TYPES[CSV])
    rows = tables.read(text)
    others = {name: Payload(tables.write(rows, kind), kind) for name, kind in MEDIA_TYPES.items() if name != CSV}
    return {CSV: text, **others}


def measure(bodies: Mapping[str, Payload], *, rows: int, round_number: int) -> Iterator[Sample]:
    """Yield one round: each format read once, then written once."""
    predictions = Predictions(("Predictions",), np.random.default_rng(0).standard_normal((rows, 1)))
    for name, body in bodies.items():
        yield Sample("formats", f"{rows:,} rows in", name, round_number, _figures(partial(tables.read, body)))
    for name, kind in MEDIA_TYPES.items():
        figures = _figures(partial(answers.write, predictions, kind))
        yield Sample("formats", f"{rows:,} predictions out", name, round_number, figures)


def _figures(work: Callable[[], object]) -> dict[str, float]:
    cpu, begin = time.process_time(), time.perf_counter()
    work()
    wall = time.perf_counter() - begin
    return {"wall_seconds": wall, "cpu_seconds": time.process_time() - cpu}
