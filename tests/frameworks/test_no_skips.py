"""What is not tried is not known to work: whatever is skipped here, in whichever way, has failed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HEAD = '"""Planted."""\n\nimport unittest\n\nimport pytest\n\n'
PLANTED = (
    "def test_it():\n    pytest.skip('later')",
    "@pytest.mark.skip\ndef test_it(): ...",
    "@pytest.mark.xfail\ndef test_it():\n    assert False",
    "@pytest.fixture\ndef it():\n    pytest.skip('later')\n\ndef test_it(it): ...",
    "@pytest.mark.parametrize('it', [])\ndef test_it(it): ...",
    "class TestIt(unittest.TestCase):\n    @unittest.skip('later')\n    def test_it(self): ...",
    "pytest.importorskip('absent_library')",
    "pytest.skip('later', allow_module_level=True)",
)


def test_a_skip_in_any_way_fails_the_run(tmp_path: Path) -> None:
    for name in ("__init__.py", "conftest.py", "table.py"):
        shutil.copy(HERE / name, tmp_path / name)
    for number, text in enumerate(PLANTED):
        (tmp_path / f"test_{number}.py").write_text(HEAD + text, encoding="utf-8")
    options = ("--import-mode=importlib", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-q")
    words = (sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, tmp_path)
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    # A skip before the test itself is an error, as any failure there.
    assert done.stdout.splitlines()[-1].startswith("3 failed, 5 errors in ")
