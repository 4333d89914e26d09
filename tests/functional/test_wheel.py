"""The package as users get it: a wheel, installed, in an empty folder."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pandas as pd
import pytest
import requests
from sklearn.linear_model import LinearRegression

ROOT = Path(__file__).parents[2]
FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0]})
MODEL = LinearRegression().fit(FRAME, [0.5, 1.0, 2.0])
CSV = FRAME.to_csv(index=False).encode()


def run(*words: str | Path, cwd: Path, stdin: bytes = b"") -> bytes:
    """Run a command that must succeed, and return what it prints."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=env, input=stdin, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    place = tmp_path_factory.mktemp("wheel")
    words = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, ROOT)
    run(*words, cwd=place)
    (path,) = place.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment with the wheel in it; libraries are those that this test runs with."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(place), "platbase": str(place)})
    folder, scripts = Path(paths["purelib"]), Path(paths["scripts"])
    # The lines of a .pth file are folders; the .pth files in those, such as that of an editable install, do not count.
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (folder / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    pip = (scripts / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--ignore-installed", "--no-index", wheel, cwd=place)
    return scripts


@pytest.fixture(scope="module")
def home(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which a new model was made, and an artifact put into it."""
    place = tmp_path_factory.mktemp("home")
    run(binaries / "drum", "new", "model", "--language", "python", "--code-dir", "m", cwd=place)
    (place / "m" / "model.pkl").write_bytes(pickle.dumps(MODEL))
    return place


def test_what_is_tested_is_the_wheel(binaries: Path, home: Path) -> None:
    program = "import custom_model_runner; print(custom_model_runner.__file__)"
    assert Path(run(binaries / "python", "-c", program, cwd=home).decode()).is_relative_to(binaries.parent)


@pytest.mark.parametrize("name", ["drum_server_api.yaml", "py.typed"])
def test_the_package_holds_its_data(binaries: Path, home: Path, name: str) -> None:
    program = "import importlib.resources as r, sys; print((r.files('custom_model_runner') / sys.argv[1]).is_file())"
    assert run(binaries / "python", "-c", program, name, cwd=home) == b"True\n"


def test_the_api_file_of_the_package_is_that_of_the_checkout(binaries: Path, home: Path) -> None:
    program = (
        "import sys; from importlib.resources import files as f; print((f(sys.argv[1]) / sys.argv[2]).read_text())"
    )
    found = run(binaries / "python", "-c", program, "custom_model_runner", "drum_server_api.yaml", cwd=home).decode()
    assert found.strip() == (ROOT / "drum_server_api.yaml").read_text().strip()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path, binaries: Path) -> None:
    listed = run(binaries / "python", "-m", "zipfile", "-l", wheel, cwd=wheel.parent).decode().splitlines()[1:]
    assert {line.split("/")[0] for line in listed} - {"custom_model_runner"} == {
        f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    }


def test_a_new_model_is_scored(binaries: Path, home: Path) -> None:
    words = (binaries / "drum", "score", "--code-dir", "m", "--input", "-")
    lines = run(*words, cwd=home, stdin=CSV).decode().splitlines()
    assert [float(line) for line in lines[1:]] == MODEL.predict(FRAME).tolist()


def test_a_new_model_is_served(binaries: Path, home: Path) -> None:
    words = [str(binaries / "drum"), "server", "--code-dir", "m", "--address", "127.0.0.1:0"]
    with subprocess.Popen(words, cwd=home, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = next((line for line in server.stderr if line.startswith("drum: serving ")), "nothing")
        try:
            url = f"{told.split()[-1]}/predict/"
            answer = requests.post(url, data=CSV, headers={"Content-Type": "text/csv"}, timeout=60)
        finally:
            server.terminate()
    assert answer.json() == {"predictions": MODEL.predict(FRAME).tolist()}
    assert server.returncode == 0
