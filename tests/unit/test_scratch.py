"""A folder for files that the processes of one run share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom_model_runner import scratch
from custom_model_runner.errors import UsageError


def test_the_folder_is_new_lies_where_it_should_and_goes_with_what_is_in_it(tmp_path: Path) -> None:
    folder, remove = scratch.make(str(tmp_path))
    (folder / "file").write_text("x")
    other, _ = scratch.make(str(tmp_path))
    assert folder.parent == other.parent == tmp_path
    remove()
    assert list(tmp_path.iterdir()) == [other]


def test_only_the_process_that_made_it_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, remove = scratch.make(str(tmp_path))
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    remove()
    assert folder.is_dir()


def test_a_place_that_cannot_be_written_to_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; TMPDIR names another place"):
        scratch.make(str(tmp_path / "missing"))
