"""Transformed tables of a batch: as text, as a matrix with its names, and for a person."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from custom_model_runner import predictor
from custom_model_runner.errors import ContractError, UsageError
from custom_model_runner.settings import ScoreSettings

from ..folders import plant
from .runs import whole

DENSE = "def transform(data, model):\n    return data.assign(c=data['a'] / 4)\n"
SPARSE = """
import pandas as pd
import scipy.sparse

def transform(data, model):
    return pd.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_matrix(data.to_numpy(float)), columns=["x", " y\\n"])
"""
TEXT = "def transform(data, model):\n    return data.astype(str) + 'x'\n"
CSV = b"a,b\n1,0\n0,3\n"


def run(tmp_path: Path, hooks: str, output: str | None = None, *, for_terminal: bool = False) -> bytes:
    folder = plant(tmp_path / "code", {"custom.py": hooks})
    plant(tmp_path, {"input.csv": CSV})
    settings = ScoreSettings(input=str(tmp_path / "input.csv"), output=tmp_path / output if output else None)
    with predictor.load(folder, target_type="transform") as loaded:
        return whole(loaded, settings, for_terminal=for_terminal)


@pytest.mark.parametrize(
    ("hooks", "text"), [(DENSE, b"a,b,c\n1,0,0.25\n0,3,0.0\n"), (SPARSE, b"x,y\n1.0,0.0\n0.0,3.0\n")]
)
@pytest.mark.parametrize("output", [None, "out.csv", "out.txt"])
def test_a_transformed_table_is_csv_with_its_zeros(tmp_path: Path, hooks: str, text: bytes, output: str | None) -> None:
    assert run(tmp_path, hooks, output) == text


def test_the_suffix_of_the_output_names_another_format(tmp_path: Path) -> None:
    assert run(tmp_path, SPARSE, "out.ndjson") == b'{"x":1.0,"y":0.0}\n{"x":0.0,"y":3.0}\n'


@pytest.mark.parametrize(
    ("hooks", "names"), [(SPARSE, b"x\ny\n"), (DENSE, b"a\nb\nc\n")], ids=["a sparse table", "a dense table"]
)
def test_a_matrix_has_its_names_beside_it(tmp_path: Path, hooks: str, names: bytes) -> None:
    assert run(tmp_path, hooks, "out.MTX").startswith(b"%%MatrixMarket matrix coordinate real general\n")
    assert (tmp_path / "out.MTX.colnames").read_bytes() == names


def test_a_matrix_may_be_compressed(tmp_path: Path) -> None:
    data = run(tmp_path, SPARSE, "out.mtx.gz")
    assert gzip.decompress(data).startswith(b"%%MatrixMarket")
    assert (tmp_path / "out.mtx.gz.colnames").read_bytes() == b"x\ny\n"


def test_a_table_that_is_no_matrix_leaves_no_names(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="other values than real numbers"):
        run(tmp_path, TEXT, "out.mtx")
    assert not (tmp_path / "out.mtx.colnames").exists()


def test_a_person_gets_aligned_columns(tmp_path: Path) -> None:
    shown = run(tmp_path, DENSE, for_terminal=True).decode().splitlines()
    assert [line.split() for line in shown[:2]] == [["a", "b", "c"], ["0", "1", "0", "0.25"]]


def test_options_of_unstructured_models_are_refused(tmp_path: Path) -> None:
    folder = plant(tmp_path / "code", {"custom.py": DENSE})
    settings = ScoreSettings(input="-", query="a=1")
    with predictor.load(folder, target_type="transform") as loaded, pytest.raises(UsageError, match="this one is 'tr"):
        whole(loaded, settings)
