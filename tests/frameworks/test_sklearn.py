"""skops files: what is refused, and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from custom_model_runner import load
from custom_model_runner.errors import LoadError


def twice(values: np.ndarray) -> np.ndarray:
    """Stand for any function of the user's."""
    return values * 2


def test_types_that_skops_does_not_trust_are_named(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(twice), LinearRegression()).fit(np.eye(3), [1.0, 2.0, 3.0])
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(LoadError, match=r"model\.skops holds types that skops does not trust: .*twice; if you do"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"PK\x05\x06" + bytes(18), b"no archive"])
def test_what_is_no_skops_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(LoadError, match=r"model\.skops is no skops file"):
        load(tmp_path)


def test_no_pickle_leaves_a_skops_file_in_peace(tmp_path: Path) -> None:
    skops.io.dump(LinearRegression().fit(np.eye(2), [1.0, 2.0]), tmp_path / "model.skops")
    with load(tmp_path, no_pickle=True) as predictor:
        assert predictor.info.framework == "scikit-learn"
