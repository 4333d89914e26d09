"""Ten times the rows take no more memory, in any format and with any number of workers.

Pages of libraries count in part for other programs of the same environment; figures want that none runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import models
from benchmarks.models import BenchModel

from .conftest import Score

FEW_ROWS, FULL_ROWS = 50_000, 1_000_000
# Blocks of the small inputs, so that the smaller one has many as well.
BLOCK_ROWS = 2_500
MOST_GROWTH = 1.1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> BenchModel:
    return models.build("reg", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module", params=[".csv", ".parquet"])
def sources(
    request: pytest.FixtureRequest, full: bool, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Path]]:
    """Two inputs, one with ten times the rows; they are removed at once, since they are large."""
    place, rows = tmp_path_factory.mktemp("rows"), FULL_ROWS if full else FEW_ROWS
    paths = [models.write_rows(place / f"{count}{request.param}", count) for count in (rows, 10 * rows)]
    yield paths
    for path in paths:
        path.unlink()


@pytest.mark.parametrize("workers", [1, 2])
def test_ten_times_the_rows_take_no_more_memory(
    model: BenchModel, sources: list[Path], workers: int, full: bool, score: Score
) -> None:
    words = ("--code-dir", model.folder, *model.options, "--workers", workers)
    words += () if full else ("--batch-rows", BLOCK_ROWS)
    peaks = []
    for source in sources:
        output = source.with_name(f"out{source.suffix}")
        figures = score(*words, "--input", source, "--output", output)
        rows, peak = int(source.stem), figures["peak_bytes"]
        print(
            f"\n{source.suffix}, {workers} workers, {rows:,} rows: {figures['wall_seconds']:.2f} s, "
            f"{rows / figures['wall_seconds']:,.0f} rows/s, at most {peak / 1e6:.1f} MB",
            end="",
        )
        peaks.append(peak)
        output.unlink()
    assert peaks[1] < MOST_GROWTH * peaks[0]
