"""Formats are compared on the same rows, and every format takes part."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks import formats, models
from custom_model_runner import plugins
from custom_model_runner.data import tables


def test_every_format_holds_the_same_rows(tmp_path: Path) -> None:
    bodies = formats.payloads(models.write_rows(tmp_path / "rows.csv", 50))
    expected = pd.read_csv(tmp_path / "rows.csv")
    for body in bodies.values():
        pd.testing.assert_frame_equal(tables.read(body), expected)


def test_every_format_that_is_written_takes_part() -> None:
    there = set(formats.MEDIA_TYPES.values())
    assert all(there & set(line.writes) for line in plugins.FORMATS.values() if line.writes)


def test_a_round_has_a_sample_for_each_format_in_and_out(tmp_path: Path) -> None:
    bodies = formats.payloads(models.write_rows(tmp_path / "rows.csv", 50))
    samples = list(formats.measure(bodies, rows=50, round_number=3))
    assert [(sample.case, sample.contestant, sample.round) for sample in samples] == [
        (case, name, 3) for case in ("50 rows in", "50 predictions out") for name in formats.MEDIA_TYPES
    ]
    assert all(sample.figures["wall_seconds"] > 0 for sample in samples)
