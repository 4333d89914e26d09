"""The reader that docs/monitoring.md shows, on files as they are written and as a crash leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.data.report import Report, Samples, Stats
from custom_model_runner.monitoring import json_lines
from custom_model_runner.monitoring.spool import Spool

from .reports import SUBJECT

DOCUMENT = Path(__file__).parents[3] / "docs" / "monitoring.md"
FEATURES = pd.DataFrame({"size": range(30_000), "kind": ["a", "b"] * 15_000})
CALL = Report(0.0, "r", Stats(30_000, 1.0), Samples(FEATURES, np.arange(30_000) / 2))
PROBABILITIES = Report(0.0, "r", samples=Samples(FEATURES[:2], np.array([[0.25, 0.75], [1, 0]]), ("no", "yes")))


@pytest.fixture(scope="module")
def reader() -> dict[str, Any]:
    [block] = [block.split("\n```")[0] for block in DOCUMENT.read_text().split("```python\n")[1:]]
    names: dict[str, Any] = {}
    exec(block, names)
    return names


def test_it_reads_every_table_of_every_file(tmp_path: Path, reader: dict[str, Any]) -> None:
    spool = Spool(tmp_path, SUBJECT, most_bytes=400_000)
    spool.write(CALL, 0)
    spool.write(PROBABILITIES, 0)
    assert len(list(tmp_path.iterdir())) > 1
    *parts, last = reader["predictions"](tmp_path)
    whole = FEATURES.assign(prediction=np.arange(30_000) / 2)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    pd.testing.assert_frame_equal(last, FEATURES[:2].assign(no=[0.25, 1.0], yes=[0.75, 0.0]))


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_it_skips_a_line_that_a_crash_cut_short(tmp_path: Path, reader: dict[str, Any], kept: int) -> None:
    whole = b"".join(json_lines.write(PROBABILITIES, SUBJECT, dropped=0))
    (tmp_path / "mlops-20260101T000000.000000Z-1.jsonl").write_bytes(whole + whole[:kept])
    (tmp_path / "mlops-20260101T000001.000000Z-2.jsonl").write_bytes(whole)
    assert [record["rows"] for record in reader["records"](tmp_path)] == [2, 2]
