"""A model is loaded once for all workers where that is safe, and else by each for itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from .conftest import Server, serve

# Tells each time that it is loaded.
BESIDE = """
import os, pathlib
from sklearn.linear_model import LinearRegression

class Teller(LinearRegression):
    def __setstate__(self, state):
        with pathlib.Path(__file__).with_name("loaded").open("a") as told:
            told.write(f"{os.getpid()}\\n")
        super().__setstate__(state)
"""
FLASK = "def init_app(app):\n    pass\n"
HOOKS = "def score(data, model, **kwargs):\n    return data[['x']]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text(BESIDE)
    train = "import pickle, beside; model = beside.Teller().fit([[1.0], [2.0]], [1.0, 2.0])"
    write = "open('model.pkl', 'wb').write(pickle.dumps(model))"
    subprocess.run([sys.executable, "-c", f"{train}; {write}"], cwd=tmp_path, check=True)
    return tmp_path


def loaders(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "loaded").read_text().split()]


def workers(server: Server) -> list[int]:
    (master,) = psutil.Process(server.process.pid).children()
    return [worker.pid for worker in master.children()]


def wait_for_workers(server: Server, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(workers(server)) < count or server.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def until_loaded_by(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(loaders(folder)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lone_artifact_is_loaded_once_also_for_a_worker_that_takes_the_place_of_another(folder: Path) -> None:
    with serve(folder, "--target-type", "regression", "--max-workers", "2") as server:
        wait_for_workers(server, 2)
        first = workers(server)[0]
        os.kill(first, signal.SIGKILL)
        while first in workers(server):
            time.sleep(0.02)
        wait_for_workers(server, 2)
        assert server.post("/predict/", "x\n3\n").json() == {"predictions": [pytest.approx(3)]}
        (loader,) = loaders(folder)
        assert loader not in workers(server)
        assert f"worker {first} was killed by SIGKILL" in server.log.read_text()


@pytest.mark.parametrize("files", [{"custom_flask.py": FLASK}, {"custom.py": HOOKS}], ids=["extension", "hooks"])
def test_beside_code_of_the_folder_each_worker_loads_for_itself(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    with serve(folder, "--target-type", "regression", "--max-workers", "2") as server:
        wait_for_workers(server, 2)
        until_loaded_by(folder, 2)
        assert sorted(loaders(folder)) == sorted(workers(server))


def test_hooks_that_survive_a_fork_as_their_author_says_share_their_model(folder: Path) -> None:
    (folder / "custom.py").write_text(HOOKS)
    (folder / "model-metadata.yaml").write_text(
        "name: a\ntype: inference\ntargetType: regression\nrunner:\n  forkSafe: true\n"
    )
    with serve(folder, "--target-type", "regression", "--max-workers", "2") as server:
        wait_for_workers(server, 2)
        assert len(loaders(folder)) == 1


def test_a_model_whose_loading_starts_a_thread_is_loaded_by_each_worker_after_all(folder: Path) -> None:
    beside = folder / "beside.py"
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=[60], daemon=True).start()\n"
    beside.write_text(beside.read_text() + thread)
    with serve(folder, "--target-type", "regression", "--max-workers", "2") as server:
        wait_for_workers(server, 2)
        until_loaded_by(folder, 3)
        assert sorted(loaders(folder)[1:]) == sorted(workers(server))
        assert server.post("/predict/", "x\n3\n").status_code == 200


def test_the_error_server_explains_an_artifact_that_cannot_be_loaded(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"no pickle")
    words = ("--target-type", "regression", "--max-workers", "2", "--with-error-server")
    with serve(folder, *words) as server:
        assert server.get("/health/").status_code == 513
        assert "model.pkl" in server.get("/health/").json()["message"]
        assert server.get("/readyz").status_code == 503
        assert server.log.read_text().count("drum: error: ") == 1
