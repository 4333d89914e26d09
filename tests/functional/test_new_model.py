"""`drum new model`: a folder that works as soon as there is an artifact in it."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from .conftest import Drum

NEW = ("new", "model", "--language", "python", "--code-dir")


def test_a_new_folder_is_made_in_silence_with_its_parents(drum: Drum, tmp_path: Path) -> None:
    done = drum(*NEW, tmp_path / "deep" / "ships")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert sorted(path.name for path in (tmp_path / "deep" / "ships").iterdir()) == ["README.md", "custom.py"]


def test_the_readme_tells_how_and_when_the_folder_was_made(drum: Drum, tmp_path: Path) -> None:
    drum(*NEW, tmp_path / "ships")
    text = (tmp_path / "ships" / "README.md").read_text()
    days = {str(date.today() + timedelta(days=shift)) for shift in (-1, 0, 1)}
    assert "drum new model --language python --code-dir ships" in text
    assert days & set(re.findall(r"\d{4}-\d{2}-\d{2}", text))


def test_an_artifact_in_a_new_folder_is_scored(drum: Drum, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0]})
    model = LinearRegression().fit(frame, [0.5, 1.0, 2.0])
    drum(*NEW, tmp_path / "ships")
    (tmp_path / "ships" / "model.pkl").write_bytes(pickle.dumps(model))
    done = drum("score", "-cd", tmp_path / "ships", "--input", "-", stdin=frame.to_csv(index=False).encode())
    assert [float(line) for line in done.stdout.decode().splitlines()[1:]] == model.predict(frame).tolist()


def test_a_new_folder_without_an_artifact_says_what_is_missing(drum: Drum, tmp_path: Path) -> None:
    drum(*NEW, tmp_path / "ships")
    done = drum("score", "-cd", tmp_path / "ships", "--input", "-", stdin=b"a\n1\n")
    assert done.returncode == 4
    assert b"drum: error: Could not find a model artifact file (.pkl, .joblib, " in done.stderr


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_folder_that_is_there_is_refused_and_left_alone(
    drum: Drum, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "ships")
    before = list(tmp_path.rglob("*"))
    done = drum(*NEW, tmp_path / "ships")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert re.fullmatch(rb"drum: error: --code-dir: '.*ships' exists already.*\n", done.stderr)
    assert list(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_made_is_one_line(drum: Drum, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = drum(*NEW, tmp_path / "file" / "ships")
    assert done.returncode == 1
    assert re.fullmatch(rb"drum: error: '.*ships' cannot be created: Not a directory\n", done.stderr)
