"""The committed data files are those that the generator makes."""

from __future__ import annotations

import runpy
from pathlib import Path

FOLDER = Path(__file__).parent


def test_each_committed_file_equals_what_its_generator_makes() -> None:
    files = runpy.run_path(str(FOLDER / "generate.py"))["FILES"]
    assert sorted(files) == sorted(path.name for path in FOLDER.glob("*.csv"))
    for name, make in files.items():
        assert (FOLDER / name).read_bytes() == make().encode()
        assert (FOLDER / name).stat().st_size < 100_000
