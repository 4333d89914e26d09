"""Servers that live as long as the tests, since the libraries keep what they know of one."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from ..storage import Store, store

FRAME = pd.DataFrame({"a": [float(number) for number in range(1000)], "b": [number**0.5 for number in range(1000)]})


@pytest.fixture(scope="session")
def s3() -> Iterator[Store]:
    """A store with a bucket, `data`; whoever has any key may use it."""
    with store() as opened, pytest.MonkeyPatch.context() as patch:
        opened.put("data")
        for name, text in opened.variables.items():
            patch.setenv(name, text)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model for the rows."""
    (tmp_path / "code").mkdir()
    model = LinearRegression().fit(FRAME, FRAME["a"] - FRAME["b"])
    (tmp_path / "code" / "model.pkl").write_bytes(pickle.dumps(model))
    return tmp_path / "code"
