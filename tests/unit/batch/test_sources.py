"""Where a batch comes from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from custom_model_runner.batch import sources
from custom_model_runner.errors import InputError

from ..folders import plant


def test_a_file_is_read(tmp_path: Path) -> None:
    assert sources.read(str(plant(tmp_path, {"data.csv": b"a\r\n\xff"}) / "data.csv")) == b"a\r\n\xff"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\r\n\xff")))
    assert sources.read("-") == b"a\r\n\xff"


def test_a_file_that_cannot_be_read_is_an_input_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv' cannot be read: No such file"):
        sources.read(str(tmp_path / "gone.csv"))
