"""Start-up is a feature: asking for help imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from custom_model_runner import cli, plugins

from .tree import NAME, REPOSITORY, expect_none, plant

CORE = ("flask", "gunicorn", "numpy", "pandas", "pyarrow", "scipy", "yaml")
HEAVY = (*CORE, *(package for line in plugins.FRAMEWORKS.values() for package in line.packages))

# What `drum` does, and at its end, in whichever way it ends, the top-level names of all that was imported.
PROBE = f"""
import atexit, sys
atexit.register(lambda: print("\\nIMPORTED", *(name for name in list(sys.modules) if "." not in name)))
from {NAME}.cli import main
sys.exit(main())
"""


def imported_by(program: str, words: Sequence[str], root: Path) -> list[str]:
    """Run a program on the package below a root, in a fresh interpreter, and return what it imported."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("\nIMPORTED")[2].split()


def lazy_complaints(what: str, imported: Sequence[str]) -> list[str]:
    """Name every heavy library that something imports before it has to."""
    return [f"{what} imports {name}" for name in HEAVY if name in imported]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([*name.split(), "--help"] for name in cli.COMMANDS)], ids=" ".join
)
def test_asking_for_help_imports_nothing_heavy(words: Sequence[str]) -> None:
    expect_none(lazy_complaints("drum", imported_by(PROBE, words, REPOSITORY)))


def test_the_probe_sees_the_real_command_line() -> None:
    assert {"argparse", NAME} <= set(imported_by(PROBE, ["--help"], REPOSITORY))


@pytest.mark.parametrize(
    "files",
    [
        {"cli.py": "import numpy\ndef main(): return 0"},
        {"__init__.py": "from . import data", "data.py": "import numpy.linalg", "cli.py": "def main(): ..."},
        {"cli.py": "def main():\n    import numpy\n    raise SystemExit(0)"},
    ],
)
def test_a_heavy_import_planted_anywhere_on_the_way_is_a_complaint(tmp_path: Path, files: dict[str, str]) -> None:
    # An empty package of that name stands in, so that the planted tree is cheap to run.
    plant(tmp_path, {"__init__.py": "", **files, "../numpy/__init__.py": "", "../numpy/linalg.py": ""})
    assert lazy_complaints("drum --help", imported_by(PROBE, [], tmp_path)) == ["drum --help imports numpy"]


def test_the_first_process_of_a_server_imports_nothing_heavy_before_it_forks() -> None:
    program = """
import sys
from custom_model_runner import cli, plugins
from custom_model_runner.commands import server
server.supervise = lambda start, settings: 0
code = cli.main(["server", "--code-dir", "tests"])
print("\\nIMPORTED", *(name for name in list(sys.modules) if "." not in name))
sys.exit(code)
"""
    expect_none(lazy_complaints("the supervisor", imported_by(program, [], REPOSITORY)))
