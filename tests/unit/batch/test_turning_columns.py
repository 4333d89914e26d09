"""A column that turns late from integers to floats, or to text, is in all blocks what it is in the whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from custom_model_runner.batch import text
from custom_model_runner.errors import InputError, RunnerError

from ..folders import plant
from .runs import score

ROWS, TURN, BLOCK_ROWS = 1000, 900, 64
# What each value is for Python, and how it is spelled.
HOOKS = """
    import zlib
    import pandas as pd

    def score(data, model, **kwargs):
        told = [f"{type(value).__name__} {value}" for value in data["a"].tolist()]
        return pd.DataFrame({"Predictions": [float(zlib.crc32(text.encode())) for text in told]})
"""
LATE = {"a float": "0.5", "text": '"x"'}
WRITERS: dict[str, Callable[[list[str]], str]] = {
    ".csv": lambda values: "".join(f"{value},{row}\n" for row, value in [("b", "a"), *enumerate(values)]),
    ".ndjson": lambda values: "".join(f'{{"a":{value},"b":{row}}}\n' for row, value in enumerate(values)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plant(tmp_path / "code", {"custom.py": HOOKS})


@pytest.fixture(params=[(suffix, late) for suffix in WRITERS for late in LATE], ids=" ".join)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    suffix, late = request.param
    values = [*map(str, range(TURN)), *[LATE[late]] * (ROWS - TURN)]
    return plant(tmp_path, {f"in{suffix}": WRITERS[suffix](values)}) / f"in{suffix}"


@pytest.fixture
def standard_input(source: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file again, as a pipe that can be read once."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(source.read_bytes())))
    return "-"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_column_that_turns_late_has_one_type_in_all_blocks(
    folder: Path, source: Path, standard_input: str, workers: int
) -> None:
    whole = score(folder, source, whole_file=True)
    assert len(set(whole.splitlines())) > TURN
    score_blocks = partial(score, folder, batch_rows=BLOCK_ROWS, workers=workers)
    assert score_blocks(source) == whole
    assert score_blocks(standard_input, input_format=source.suffix[1:]) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_a_pipe_that_turns_behind_its_sample_is_told_where(
    folder: Path, source: Path, standard_input: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "SAMPLE_BYTES", source.stat().st_size // 2)
    found = "text" if "x" in source.read_text()[-20:] else "a number with a fraction"
    words = f"line {TURN + 1 + (source.suffix == '.csv')}, column 'a' holds {found}, expected int64; --whole-file"
    with pytest.raises(RunnerError, match=words) as caught:
        score(folder, standard_input, batch_rows=BLOCK_ROWS, workers=workers, input_format=source.suffix[1:])
    assert caught.value.exit_code == InputError.exit_code
