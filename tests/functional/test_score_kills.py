"""`drum score --resume` after `kill -9` at points of the run that are drawn anew each time; the seed is printed.

`make test-scale` tries many more of them.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from ..interruptions import Batch, points

POINTS = 2


@pytest.mark.parametrize(("suffix", "workers"), [(".csv", 1), (".parquet", 2)])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, suffix: str, workers: int) -> None:
    batch = Batch(tmp_path, suffix, workers, blocks=6, rows=50)
    batch.prepare(is_shared=False)
    digest, operations, seconds = batch.uninterrupted()
    seed = secrets.randbits(32)
    for point in points(seed, POINTS, workers=workers, operations=operations, seconds=seconds):
        outcome = batch.killed(point, digest)
        assert outcome.is_same, (seed, outcome)
        # What each process had in hand; a run that is killed behind its last step has nothing to go on with.
        assert outcome.was_complete or outcome.begun_again <= workers, (seed, outcome)
