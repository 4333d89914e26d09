"""Blocks of wide tables have so many rows that what each column costs is paid by some hundred of them."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from custom_model_runner.batch import blocks, plan
from custom_model_runner.batch.blocks import BEGINNING, BLOCK_BYTES, Blocks, Limits
from custom_model_runner.data import ndjson_columns
from custom_model_runner.data.payload import WIDE
from custom_model_runner.settings import ScoreSettings

LIMITS = Limits(decoded=1 << 40, table=1 << 30, block=BLOCK_BYTES)


def test_a_block_of_a_wide_table_holds_as_many_times_the_bytes_up_to_32() -> None:
    assert LIMITS.block_rows(10, 100) == LIMITS.block_rows(WIDE, 100) == BLOCK_BYTES // 100
    assert LIMITS.block_rows(4 * WIDE, 100) == 4 * BLOCK_BYTES // 100
    assert LIMITS.block_rows(1000 * WIDE, 1_000_000) == 32 * BLOCK_BYTES // 1_000_000
    assert LIMITS.block_rows(1, 1 << 40) == 1


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_a_wide_table_is_cut_into_larger_blocks_unless_their_rows_are_given(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wide{suffix}"
    write(pd.DataFrame(np.ones((1200, 40)), columns=[f"c{place}" for place in range(40)]), path)
    with mock.patch.object(plan, "SMALL_BYTES", 0), mock.patch.object(plan, "BLOCK_BYTES", 2000):
        usual = count(path)
        with mock.patch.object(blocks, "WIDE", 10):
            assert 3 < usual / count(path) < 5
            assert count(path, batch_rows=10) == 120


def write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True)


def count(path: Path, *, batch_rows: int | None = None) -> int:
    found = plan.look(plan.settle(ScoreSettings(input=str(path), batch_rows=batch_rows), None))
    assert isinstance(found, Blocks)
    return sum(1 for _ in found.read(BEGINNING))


def test_wide_ndjson_is_read_by_records() -> None:
    line = b'{"a":1}\n'
    assert ndjson_columns.read(line, {"a": "int64"}) is not None
    assert ndjson_columns.read(line, {"a": "int64"} | {f"c{place}": "float64" for place in range(WIDE)}) is None
