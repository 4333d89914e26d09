"""Versions that models were made with, against those that are installed."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
import sklearn

from custom_model_runner.artifacts import versions
from custom_model_runner.artifacts.versions import Installed, Version

HERE = Installed("scikit-learn", sklearn.__version__)


def test_what_is_installed_is_found_by_the_name_it_is_imported_by() -> None:
    assert versions.installed(["sklearn", "absent_rope"]) == {"sklearn": HERE}


def test_what_is_installed_is_found_where_python_does_not_list_it() -> None:
    assert versions.installed(["sklearn", "numpy", "absent_rope"], {}) == {
        "sklearn": HERE,
        "numpy": Installed("numpy", np.__version__),
    }


def distribution(folder: Path, name: str, number: str, size: int) -> None:
    """Write what pip leaves of a distribution that brings the module `rope`."""
    info = folder / f"{name.replace('-', '_')}-{number}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
    (info / "RECORD").write_text(f"rope/__init__.py,,{size}\nrope/__pycache__/x.pyc,,\n")


@pytest.mark.parametrize(("size", "expected"), [(3, Installed("rope", "1")), (5, Installed("rope-small", "2"))])
def test_of_two_that_brought_the_same_files_the_one_counts_whose_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, expected: Installed
) -> None:
    (tmp_path / "rope").mkdir()
    (tmp_path / "rope/__init__.py").write_text("x" * size)
    distribution(tmp_path, "rope", "1", 3)
    distribution(tmp_path, "rope-small", "2", 5)
    monkeypatch.syspath_prepend(tmp_path)
    assert versions.installed(["rope"], {"rope": ["rope", "rope-small"]}) == {"rope": expected}


def test_only_versions_that_differ_are_mismatches() -> None:
    old, same, absent = Version("sklearn", "0.1"), Version("sklearn", HERE.number), Version("xgboost", "9.9.9")
    assert versions.mismatches([absent, same, old]) == {absent: None, old: HERE}


def test_a_local_build_is_no_other_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.2.3+cpu")
    assert versions.mismatches([Version("sklearn", "1.2.3")]) == {}


@pytest.mark.parametrize(
    ("differing", "described", "remedy"),
    [
        (
            {Version("sklearn", "0.1"): HERE},
            f"was made with scikit-learn 0.1, and {HERE} is installed",
            'pip install "scikit-learn==0.1", or train it again',
        ),
        (
            {Version("sklearn", "pre-0.18"): HERE},
            f"was made with scikit-learn pre-0.18, and {HERE} is installed",
            "train it again",
        ),
        (
            {Version("sklearn", "0.1"): HERE, Version("xgboost", "9.0"): Installed("xgboost-cpu", "3.0")},
            f"was made with scikit-learn 0.1 and XGBoost 9.0, and {HERE} and xgboost-cpu 3.0 is installed",
            'pip install "scikit-learn==0.1" "xgboost-cpu==9.0", or train it again',
        ),
        (
            {Version("xgboost", "9.0"): None},
            "was made with XGBoost 9.0, and none is installed",
            'pip install "xgboost==9.0", or train it again',
        ),
    ],
)
def test_a_mismatch_is_said_with_both_versions_and_what_to_do(
    differing: dict[Version, Installed | None], described: str, remedy: str
) -> None:
    assert (versions.describe(differing), versions.remedy(differing)) == (described, remedy)


def test_the_version_is_taken_from_the_warnings_of_scikit_learn() -> None:
    texts = ["Trying to unpickle estimator Ridge from version 1.0.2 when using version 1.9. Be careful.", "Be careful."]
    assert versions.of_warnings(texts) == {Version("sklearn", "1.0.2")}
