"""`kill -9` at points over whole batches, then `--resume`: the same bytes, and no block again but those in hand."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from ..interruptions import Batch, points

POINTS = 20
BLOCKS, ROWS = 40, 5000


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(("workers", "is_shared"), [(1, False), (2, False), (2, True)])
def test_batches_that_are_killed_anywhere_go_on_to_the_same_bytes(
    tmp_path: Path, suffix: str, workers: int, is_shared: bool
) -> None:
    batch = Batch(tmp_path, suffix, workers, BLOCKS, ROWS)
    batch.prepare(is_shared=is_shared)
    digest, operations, seconds = batch.uninterrupted()
    # The variable draws the same points again.
    seed = int(os.environ.get("BATCH_KILLS_SEED", secrets.randbits(32)))
    drawn = list(points(seed, POINTS, workers=workers, operations=operations, seconds=seconds))
    outcomes = [batch.killed(point, digest) for point in drawn]
    kind = "a shared model" if is_shared else "a model each"
    print(f"\n{suffix}, workers: {workers}, {kind}; seed {seed}, {operations} operations in {seconds:.1f} s")
    for outcome in outcomes:
        print(f"  {outcome}")
    assert all(outcome.is_same for outcome in outcomes)
    assert all(outcome.begun_again <= workers for outcome in outcomes if not outcome.was_complete)
    # Most of them do interrupt it.
    assert sum(not outcome.was_complete for outcome in outcomes) > POINTS // 2
