"""Blocks whose predictions differ in their columns, or in the types of these."""

from __future__ import annotations

import functools
import gzip
import io
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from custom_model_runner.batch import heads
from custom_model_runner.batch.heads import Unlike
from custom_model_runner.errors import RunnerError

from ..folders import plant
from .runs import score

ROWS = 12
# A statement tells what stands in a column beside the predictions, by the values of the rows in a block.
HOOK = """
    import pandas as pd

    def score(data, model, **kwargs):
        out = pd.DataFrame({"Predictions": data["a"] / 2, "text": '5,"k":7\\r\\n'})
        values = list(data["a"])
        %s
        return out
"""
GAP = 'out["k"] = [None if value == 7 else value * 10**16 + 1 for value in values]'
NONE = 'out["k"] = [None if 3 <= value < 9 else value for value in values]'
TEXTS = 'out["k"] = [float("nan") if value < 6 else "x" for value in values]'

SWAPPED = "out[['Predictions', 'k', 'text']]"


def source(tmp_path: Path, statement: str) -> tuple[Path, Path]:
    """Return a folder whose hook does that, and an input."""
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{row}\n" for row in range(ROWS)))
    return plant(tmp_path / "code", {"custom.py": HOOK % statement}), tmp_path / "in.csv"


def table(path: Path) -> Any:
    """Return the Arrow table in a file."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return (pa.ipc.open_file if path.suffix == ".arrow" else pa.ipc.open_stream)(path.read_bytes()).read_all()


def content(path: Path) -> Any:
    """Return what a file holds, whatever becomes of it by its cut in blocks."""
    if path.suffix in (".parquet", ".arrow"):
        return table(path)
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("statement", [GAP, NONE, TEXTS])
@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.ndjson", "out.parquet", "out.arrow"])
def test_columns_have_the_types_that_they_have_in_the_whole_file(tmp_path: Path, statement: str, name: str) -> None:
    folder, rows = source(tmp_path, statement)
    found, expected = tmp_path / name, tmp_path / f"whole-{name}"
    score(folder, rows, output=expected, whole_file=True)
    score(folder, rows, output=found, batch_rows=3)
    assert content(found) == content(expected)


@pytest.mark.parametrize("name", ["out.arrow", "out.parquet"])
def test_blocks_may_have_other_categories(tmp_path: Path, name: str) -> None:
    folder, rows = source(
        tmp_path, 'out["k"] = pd.Categorical([None if value == 7 else str(value) for value in values])'
    )
    score(folder, rows, output=tmp_path / name, batch_rows=3)
    found = table(tmp_path / name)["k"].to_pylist()
    assert found == [None if row == 7 else str(row) for row in range(ROWS)]


@pytest.mark.parametrize("workers", [1, 2])
def test_types_of_an_interrupted_run_count_too(tmp_path: Path, workers: int) -> None:
    fails = 'import pathlib; values[0] < 6 or pathlib.Path(__file__).with_name(".goes-on").read_bytes(); '
    folder, rows = source(tmp_path, fails + GAP.replace("7", "1"))
    with pytest.raises(RunnerError, match="FileNotFoundError"):
        score(folder, rows, output=tmp_path / "out.parquet", batch_rows=3)
    plant(folder, {".goes-on": ""})
    score(folder, rows, output=tmp_path / "out.parquet", batch_rows=3, resume=True, workers=workers)
    assert table(tmp_path / "out.parquet").schema.field("k").type == pa.float64()


@pytest.mark.parametrize(
    ("statement", "name", "message"),
    [
        ("if 4 not in values: out['k'] = 1", "out.csv", "have no column 'k', expected one as before"),
        ("if 4 in values: out['z'] = 1", "out.ndjson", "have a column 'z' that those before have not"),
        (f"out['k'] = 1; out = {SWAPPED} if 4 in values else out", "out.csv", "have their columns in another order"),
        (
            "out['k'] = 'x' if 4 in values else 1",
            "out.parquet",
            "column 'k' of the predictions is string, expected int64 as in the rows before; return the same for all",
        ),
        (
            "out['k'] = pd.Series(values, dtype='uint64' if 4 in values else 'int64')",
            "out.parquet",
            "column 'k' of the predictions is uint64, expected int64 as in the rows before, and no integers hold both;",
        ),
    ],
)
def test_other_columns_are_told_where_they_come_and_leave_nothing_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], statement: str, name: str, message: str
) -> None:
    folder, rows = source(tmp_path, statement)
    with pytest.raises(RunnerError, match=rf"^Rows 4 to 6 of 'in.csv': The .*{message}") as caught:
        score(folder, rows, output=tmp_path / name, batch_rows=3)
    assert (caught.value.exit_code, capsys.readouterr().err) == (5, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "in.csv"]


def test_columns_of_workers_are_compared_too(tmp_path: Path) -> None:
    folder, rows = source(tmp_path, "if 4 in values: out['z'] = 1")
    with pytest.raises(RunnerError, match=r"^Rows 4 to 6 of 'in.csv': The predictions have a column 'z'"):
        score(folder, rows, output=tmp_path / "out.csv", batch_rows=3, workers=2)


def test_what_is_written_already_is_gone_on_with(tmp_path: Path) -> None:
    folder, rows = source(tmp_path, GAP.replace("7", "4"))
    written = score(folder, rows, batch_rows=3, output_format="ndjson").splitlines()
    found = [repr(json.loads(line)["k"]) for line in written[2:7]]
    assert found == ["20000000000000001", "3e+16", "None", "5e+16", "6e+16"]


@pytest.mark.parametrize(("late", "is_held"), [("1", True), ("1.5", False), ("'x'", False)])
def test_columns_that_are_written_already_hold_what_fits(tmp_path: Path, late: str, is_held: bool) -> None:
    folder, rows = source(tmp_path, f"out['k'] = {late} if 4 in values else float('nan') if 7 in values else 2")
    if not is_held:
        with pytest.raises(RunnerError, match=r"^Rows 4 to 6 of 'in.csv': The column 'k' of the predictions is"):
            score(folder, rows, batch_rows=3, output_format="parquet")
        return
    written = pq.read_table(io.BytesIO(score(folder, rows, batch_rows=3, output_format="parquet")))
    assert written["k"].to_pylist() == [2, 2, 2, 1, 1, 1, None, None, None, 2, 2, 2]


# uint64 is left out: with other integers it has no type, but with floats between them one.
KINDS = ["int8", "int64", "uint8", "float", "double", "string", "timestamp[s]", "timestamp[ns]", None]


def head(kind: str | None) -> bytes:
    """Return the head of a column of a type; without one it holds nothing."""
    column = pa.nulls(1, pa.string()) if kind is None else pa.array([0]).cast(pa.type_for_alias(kind))
    return heads.of_columns(pa.table({"k": column}))


@pytest.mark.parametrize(
    ("join", "kinds"), [(heads.in_text, ["int64", "double", "string", None]), (heads.in_columns, KINDS)]
)
def test_the_order_of_segments_does_not_matter(
    join: Callable[[bytes, bytes], bytes], kinds: Sequence[str | None]
) -> None:
    def joined(three: tuple[bytes, ...]) -> str:
        try:
            return str(heads.schema(functools.reduce(join, three)))
        except Unlike:
            return "none"

    for three in itertools.combinations_with_replacement(map(head, kinds), 3):
        assert len(set(map(joined, itertools.permutations(three)))) == 1
