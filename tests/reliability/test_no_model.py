"""Folders without a model, or with a broken one: the server says why, and never that it is ready."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conformance.conftest import serve
from ..conformance.processes import DRUM, environment, left_of

GOOD = "def score(data, model, **kwargs):\n    return data\n"


def nothing(_: Path) -> None:
    pass


def no_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"no pickle")


def half_a_pickle(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00\x8c")


def raises(folder: Path) -> None:
    (folder / "custom.py").write_text(f"raise ValueError('spoilt')\n{GOOD}")


def dies(folder: Path) -> None:
    (folder / "custom.py").write_text(f"import os\nos._exit(0)\n{GOOD}")


def crashes(folder: Path) -> None:
    (folder / "custom.py").write_text(f"import ctypes\nctypes.string_at(0)\n{GOOD}")


def loads_none(folder: Path) -> None:
    (folder / "custom.py").write_text(f"def load_model(code_dir):\n    return None\n{GOOD}")


# What is wrong with a folder, and what the last line must tell.
FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no model": (nothing, "artifact"),
    "no pickle": (no_pickle, "model.pkl"),
    "half a pickle": (half_a_pickle, "model.pkl"),
    "code that raises": (raises, "spoilt"),
    "code that exits": (dies, "ended itself with code 0"),
    "code that crashes": (crashes, "SIGSEGV"),
    "a hook that loads nothing": (loads_none, "load_model"),
}
# Those whose worker lives to tell.
TOLD = [name for name in FOLDERS if name not in ("code that exits", "code that crashes")]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_server_without_a_model_ends_with_the_reason(tmp_path: Path, name: str) -> None:
    spoil, reason = FOLDERS[name]
    spoil(tmp_path)
    command = [DRUM, "server", "--code-dir", str(tmp_path), "--target-type", "regression", "--address", "127.0.0.1:0"]
    command += ["--probe-address", "off", "--max-workers", "2"]
    start = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(None), start_new_session=True) as process:
        _, told = process.communicate(timeout=60)
    last = told.decode().splitlines()[-1]
    print(f"\n{name}: exit {process.returncode} after {time.monotonic() - start:.1f} s: {last}")
    assert process.returncode == 4
    assert last.startswith("drum: error: ")
    assert reason in last
    assert left_of(process.pid) == []


@pytest.mark.parametrize("name", TOLD)
def test_with_the_error_server_it_lives_and_is_not_ready(tmp_path: Path, name: str) -> None:
    spoil, reason = FOLDERS[name]
    spoil(tmp_path)
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "2", "--with-error-server") as server:
        statuses = {path: server.get(path).status_code for path in ("/livez", "/readyz", "/health/")}
        answer = server.post("/predict/", "x\n1\n")
    print(f"\n{name}, error server: {statuses}, /predict/ {answer.status_code}")
    assert statuses == {"/livez": 200, "/readyz": 503, "/health/": 513}
    assert answer.status_code == 513
    assert reason in answer.json()["message"]
