"""A sparse table of 100,000 x 2,000, a thousandth of it stored, goes through in far less memory than its zeros take."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, load_npz, save_npz
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler
from sklearn.tree import DecisionTreeRegressor

from .. import matrix_market
from .conftest import environment

ROWS, COLUMNS, STORED = 100_000, 2_000, 200_000
# With its zeros the table takes 1.6 GB.
ALLOWED = 600_000_000
FILLED = "def score(data, model):\n    return data.to_numpy()[:, :1]\n"

# `drum` with so much address space beyond what it has once everything is imported.
LIMITED = f"""
import resource, sys
import pyarrow.parquet, scipy.io, sklearn.linear_model, sklearn.tree
from custom_model_runner.cli import main
from custom_model_runner.batch import local
from custom_model_runner.data import matrices, matrix_market
from custom_model_runner.frameworks import transformer

pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + {ALLOWED}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(main())
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(0)
    places = (random.integers(0, ROWS, STORED), random.integers(0, COLUMNS, STORED))
    matrix = csr_matrix((random.random(STORED), places), (ROWS, COLUMNS))
    (folder / "table.mtx").write_bytes(matrix_market.write(matrix))
    save_npz(folder / "table.npz", matrix)
    (folder / "names.txt").write_text("\n".join(f"column {place}" for place in range(COLUMNS)))
    return folder


def small() -> tuple[csr_matrix, np.ndarray]:
    """Return something to fit on."""
    random = np.random.default_rng(1)
    values = random.random((200, COLUMNS)) * (random.random((200, COLUMNS)) < 0.01)
    return csr_matrix(values), np.arange(200) % 2


def score(table: Path, folder: Path, output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, "score", "--code-dir", str(folder), "--input", str(table / "table.mtx")]
    # A library's threads would each reserve memory that they do not use.
    env = environment({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"})
    words = (*words, "--output", str(output))
    return subprocess.run([*command, *words], env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("kind", "has_names"), [(LogisticRegression, True), (DecisionTreeRegressor, False)])
def test_a_model_scores_it(table: Path, tmp_path: Path, kind: type, has_names: bool) -> None:
    model = kind().fit(*small())
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    names = ["--sparse-column-file", str(table / "names.txt")] if has_names else []
    done = score(table, tmp_path, tmp_path / "out.csv", *names)
    assert done.returncode == 0, done.stderr
    found = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1)
    matrix = load_npz(table / "table.npz")
    expected = model.predict_proba(matrix) if kind is LogisticRegression else model.predict(matrix)
    np.testing.assert_array_equal(found, expected)


def test_a_transformer_makes_another_sparse_table_of_it(table: Path, tmp_path: Path) -> None:
    model = MaxAbsScaler().fit(small()[0])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    done = score(table, tmp_path, tmp_path / "out.mtx")
    assert done.returncode == 0, done.stderr
    expected = model.transform(load_npz(table / "table.npz"))
    assert (matrix_market.read((tmp_path / "out.mtx").read_bytes()) != expected).nnz == 0


def test_the_limit_is_too_low_for_the_table_with_its_zeros(table: Path, tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(FILLED)
    done = score(table, tmp_path, tmp_path / "out.csv", "--target-type", "regression")
    assert done.returncode in {5, 6}, done.stderr
    assert "memory" in done.stderr.lower()
