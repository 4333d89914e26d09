"""`drum score` in blocks of rows: the same predictions, bounded memory, failures that name their place."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

Drum = Callable[..., subprocess.CompletedProcess[bytes]]
Plant = Callable[..., Path]

HOOKS = """
    import pandas as pd

    def score(data, model, **kwargs):
        kinds = ";".join(str(dtype) for dtype in data.dtypes)
        return pd.DataFrame({"Predictions": data["a"] / 2, "rows": len(data), "kinds": kinds})
"""
REGRESSION = ("--target-type", "regression")
BLOCKS = ("--batch-rows", "3")
FRAME = pd.DataFrame({"a": [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "b": ["x", "y", None, "z", "x", "y", "z"]})
ROWS = "3,3,3,3,3,3,1"


@pytest.fixture
def folder(plant: Plant) -> Path:
    """A folder that tells how large each block is and of which types."""
    return plant("code", {"custom.py": HOOKS})


def written(path: Path) -> pd.DataFrame:
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".arrow": pd.read_feather,
    }
    if path.suffix == ".ndjson":
        return pd.read_json(path, lines=True)
    if path.suffix == ".gz":
        return pd.read_csv(path)
    return readers[path.suffix](path)


def plant_rows(path: Path) -> None:
    if path.suffix == ".parquet":
        FRAME.to_parquet(path)
    elif path.suffix == ".arrow":
        pa.feather.write_feather(FRAME, path, chunksize=2)
    elif path.suffix == ".ndjson":
        FRAME.to_json(path, orient="records", lines=True)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode()))
    else:
        FRAME.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("in.csv", "out.parquet"),
        ("in.parquet", "out.arrow"),
        ("in.arrow", "out.ndjson"),
        ("in.ndjson", "out.csv.gz"),
        ("in.csv.gz", "out.csv"),
    ],
)
def test_every_format_goes_through_in_blocks(
    drum: Drum, folder: Path, tmp_path: Path, source: str, target: str
) -> None:
    plant_rows(tmp_path / source)
    done = drum(
        "score", "-cd", folder, "--input", tmp_path / source, "--output", tmp_path / target, *REGRESSION, *BLOCKS
    )
    assert (done.stderr, done.returncode) == (b"", 0)
    found = written(tmp_path / target)
    assert found["Predictions"].tolist() == (FRAME["a"] / 2).tolist()
    assert ",".join(map(str, found["rows"])) == ROWS
    assert found["kinds"].nunique() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["code", source, target])


def test_standard_output_gets_blocks_too(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, *BLOCKS, stdin=b"a\n1\n2\n3\n4\n")
    rows = b"0.5,3,int64\n1.0,3,int64\n1.5,3,int64\n2.0,1,int64\n"
    assert done.stdout == b"Predictions,rows,kinds\n" + rows


def test_a_format_may_be_told_for_pipes(drum: Drum, folder: Path) -> None:
    words = ("--input-format", "ndjson", "--output-format", "ndjson")
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, *BLOCKS, *words, stdin=b'{"a":1}\n{"a":2}\n')
    rows = b'{"Predictions":0.5,"rows":2,"kinds":"int64"}\n{"Predictions":1.0,"rows":2,"kinds":"int64"}\n'
    assert done.stdout == rows


def test_all_rows_at_once_if_asked_for(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, "--whole-file", stdin=b"a\n1\n2\n3\n4\n")
    assert done.stdout.count(b",4,int64") == 4


def test_no_rows_give_a_header(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, *BLOCKS, stdin=b"a,b\n")
    assert (done.stdout, done.returncode) == (b"Predictions\n", 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n\n3,4\n5,6\n7,8,9\n", "Expected 2 fields in line 6, saw 3"),
        (b'a,b\n1,"x\ny"\n1,2\n3,4\n5,6\n7,8,9\n', "Expected 2 fields in line 7, saw 3"),
        (b"a,b\n1,2\n3,4\n5,6\n7,\xff\n", "encoding must be UTF-8"),
    ],
)
def test_what_is_wrong_in_any_block_is_told_by_its_line(
    drum: Drum, folder: Path, tmp_path: Path, data: bytes, message: str
) -> None:
    (tmp_path / "in.csv").write_bytes(data)
    words = ("--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv")
    done = drum("score", "-cd", folder, *words, *REGRESSION, *BLOCKS)
    assert (done.returncode, message in done.stderr.decode()) == (6, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "in.csv"]


LATE = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": [1.0] * (len(data) - (data["a"] > 3).any())})
"""


def test_a_hook_that_returns_fewer_rows_in_a_late_block_is_told_with_its_first_row(
    drum: Drum, plant: Plant, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_bytes(b"a\n1\n2\n3\n4\n")
    words = ("--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv")
    done = drum("score", "-cd", plant("late", {"custom.py": LATE}), *words, *REGRESSION, *BLOCKS)
    assert done.returncode == 5
    assert b"In the block that begins with row 4: Expected one prediction per row of input" in done.stderr
    assert not (tmp_path / "out.csv").exists()


COLUMNS_CHANGE = """
    import pandas as pd

    def score(data, model, **kwargs):
        name = "x" if (data["a"] > 3).any() else "y"
        return pd.DataFrame({"Predictions": data["a"], name: 1})
"""


def test_a_hook_whose_columns_change_is_told(drum: Drum, plant: Plant) -> None:
    folder = plant("columns", {"custom.py": COLUMNS_CHANGE})
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, *BLOCKS, stdin=b"a\n1\n2\n3\n4\n")
    assert done.returncode == 5
    assert b"The predictions from row 4 on have other columns" in done.stderr


def test_a_full_disk_leaves_nothing(drum: Drum, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"a\n" + b"1\n" * 100_000)
    done = drum("score", "-cd", folder, "--input", tmp_path / "in.csv", "--output", "/dev/full", *REGRESSION, *BLOCKS)
    assert (done.returncode, b"No space left on device" in done.stderr) == (1, True)


def test_a_parquet_file_cut_in_half_is_told(drum: Drum, folder: Path, tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "in.parquet")
    data = (tmp_path / "in.parquet").read_bytes()
    (tmp_path / "in.parquet").write_bytes(data[: len(data) // 2])
    done = drum("score", "-cd", folder, "--input", tmp_path / "in.parquet", *REGRESSION, *BLOCKS)
    assert (done.returncode, b"The Parquet input is broken or cut short" in done.stderr) == (6, True)
