"""A million rows whose first column turns late to floats, or to text: what its blocks cost, and what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.processes import ContestantError
from custom_model_runner.batch.text import SAMPLE_BYTES

from .conftest import Score

ROWS, TURN = 1_000_000, 900_000
NUMBERS = 9
LINES_AT_ONCE = 10_000
# What a value is for Python, and how it is spelled, makes a prediction.
HOOKS = """
import zlib
import pandas as pd

def score(data, model, **kwargs):
    told = [f"{type(value).__name__} {value}" for value in data["turning"].tolist()]
    return pd.DataFrame({"Predictions": [float(zlib.crc32(text.encode())) for text in told]})
"""
LATE = {"to nothing else": "7", "to floats": "0.5", "to text": '"x"'}
FOUND = {"to floats": "a number with a fraction", "to text": "text"}


def cells(late: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row: the column that turns, then numbers."""
    random = np.random.default_rng(0)
    for row in range(ROWS):
        numbers = random.standard_normal(NUMBERS).round(6).tolist()
        yield (str(row) if row < TURN else late, *map(repr, numbers))


def csv_lines(names: list[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ",".join(names) + "\n"
    for row in rows:
        yield ",".join(row) + "\n"


def json_lines(names: list[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    template = "{" + ",".join(f"{json.dumps(name)}:%s" for name in names) + "}\n"
    for row in rows:
        yield template % row


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("code")
    (place / "custom.py").write_text(HOOKS)
    return place


@pytest.fixture(scope="module", params=[(suffix, turn) for suffix in ("csv", "ndjson") for turn in LATE], ids=" ".join)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    suffix, turn = request.param
    path = tmp_path_factory.mktemp("rows") / f"{turn}.{suffix}"
    names = ["turning", *(f"f{number}" for number in range(NUMBERS))]
    lines = (csv_lines if suffix == "csv" else json_lines)(names, cells(LATE[turn]))
    with path.open("w") as file:
        while part := list(islice(lines, LINES_AT_ONCE)):
            file.writelines(part)
    yield path
    path.unlink()


def test_a_column_that_turns_late_is_in_blocks_what_it_is_in_the_whole(
    folder: Path, source: Path, tmp_path: Path, score: Score
) -> None:
    words = ("--code-dir", folder, "--target-type", "regression", "--input-format", source.suffix[1:])

    def outcome(name: str, *more: object, piped: Path | None = None) -> bytes:
        output = tmp_path / "out.csv"
        figures = score(*words, "--input", source if piped is None else "-", "--output", output, *more, piped=piped)
        print(
            f"\n{source.name}, {ROWS:,} rows, {name}: {figures['wall_seconds']:.2f} s, "
            f"{ROWS / figures['wall_seconds']:,.0f} rows/s, at most {figures['peak_bytes'] / 1e6:.1f} MB",
            end="",
        )
        return output.read_bytes()

    whole = outcome("as a whole", "--whole-file")
    assert whole.count(b"\n") == ROWS + 1
    assert source.stat().st_size // ROWS * TURN > SAMPLE_BYTES
    for workers in (1, 2):
        assert outcome(f"{workers} workers", "--workers", workers) == whole
        if source.stem not in FOUND:
            assert outcome(f"piped, {workers} workers", "--workers", workers, piped=source) == whole
            continue
        line = TURN + 1 + (source.suffix == ".csv")
        told = f"line {line}, column 'turning' holds {FOUND[source.stem]}, expected int64; --whole-file"
        with pytest.raises(ContestantError, match=told):
            outcome("piped", "--workers", workers, piped=source)
