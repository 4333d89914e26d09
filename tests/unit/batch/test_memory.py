"""Ten times the rows take no more memory."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner.batch import plan

from ..folders import plant
from ..memory import peak_of
from .runs import score

ROWS = 30_000
FRAME = pd.DataFrame(np.random.default_rng(0).random((ROWS, 4)), columns=list("abcd"))


def write(path: Path, times: int) -> Path:
    """Write the rows so many times."""
    if path.suffix == ".parquet":
        pd.concat([FRAME] * times).to_parquet(path, row_group_size=10_000)
        return path
    header, _, rows = FRAME.to_csv(index=False).encode().partition(b"\n")
    path.write_bytes(header + b"\n" + rows * times)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path, suffix: str) -> None:
    artifact = pickle.dumps(LinearRegression().fit(FRAME, FRAME["a"]))
    folder = plant(tmp_path / "code", {"model.pkl": artifact})
    peaks = []
    # So that both are many blocks; and twice each, since the interpreter's table of interned names may grow during one.
    with mock.patch.object(plan, "BLOCK_BYTES", 200_000):
        for times in (1, 1, 10, 10):
            source = write(tmp_path / f"{times}{suffix}", times)
            run = partial(score, folder, source, output=tmp_path / "out.csv", batch_rows=3_000)
            peaks.append(peak_of(run))
    # The file itself is ten times as large as that.
    assert min(peaks[2:]) < min(peaks[:2]) + 2_000_000
    assert (tmp_path / "out.csv").read_bytes().count(b"\n") == 10 * ROWS + 1
