"""`drum doctor`, end to end."""

from __future__ import annotations

import pickle
from pathlib import Path

from sklearn.dummy import DummyRegressor

from .conftest import Drum, Plant

MODEL = pickle.dumps(DummyRegressor().fit([[0.0]], [1.0]))


def test_a_good_folder_ends_with_0_and_the_report_is_on_standard_output(drum: Drum, plant: Plant) -> None:
    done = drum("doctor", "--code-dir", plant("code", {"model.pkl": MODEL}))
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    assert "  framework   scikit-learn" in lines
    assert lines[-1] == "verdict: no problem found"


def test_a_bad_folder_ends_with_1_and_none_of_its_code_runs(drum: Drum, plant: Plant) -> None:
    code = "import os\nos.mkdir(os.path.join(os.path.dirname(__file__), 'ran'))\ndef score(data): ...\n"
    folder = plant("code", {"model.pkl": MODEL, "other.pkl": b"cos\nabort\n)R.", "custom.py": code})
    done = drum("doctor", "--code-dir", folder, env={"NO_PICKLE": "1"})
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().splitlines()[-1] == "verdict: 2 problems found"
    assert not (folder / "ran").exists()


def test_a_folder_that_is_not_there_is_a_usage_error(drum: Drum, tmp_path: Path) -> None:
    done = drum("doctor", "--code-dir", tmp_path / "gone")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is not there, expected an existing directory" in done.stderr
