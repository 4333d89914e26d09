"""Inputs that change while they are read: whatever comes of it, the run ends with that."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner.batch import plan, rows, sources, steady
from custom_model_runner.batch.blocks import Block
from custom_model_runner.batch.expecting import BEGINS_ANEW
from custom_model_runner.batch.plan import Plan
from custom_model_runner.batch.segments import Segment
from custom_model_runner.batch.steady import Changed, State
from custom_model_runner.batch.store import Store
from custom_model_runner.errors import InputError, RunnerError

from ..folders import pickled, plant
from .runs import score

Change = Callable[[Path], None]
# Enough that what is read ahead does not hold all.
ROWS = 20_000
FRAME = pd.DataFrame({"a": range(10, 10 + ROWS), "b": 5})
WRITE: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "in.csv": lambda frame: frame.to_csv(index=False).encode(),
    "in.csv.gz": lambda frame: gzip.compress(frame.to_csv(index=False).encode(), 1),
    "in.ndjson": lambda frame: frame.to_json(orient="records", lines=True).encode(),
    "in.parquet": lambda frame: frame.to_parquet(row_group_size=1000),
}


def in_a_row(path: Path) -> None:
    data = path.read_bytes()
    # Behind the first digit, so that a row lacks its second field.
    os.truncate(path, data.rfind(b"\n", 0, len(data) * 3 // 4) + 2)


def behind_a_row(path: Path) -> None:
    data = path.read_bytes()
    os.truncate(path, data.rfind(b"\n", 0, len(data) * 3 // 4) + 1)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"1,1\n")


def replaced(path: Path) -> None:
    state, other = path.stat(), path.with_name("other")
    other.write_bytes(path.read_bytes()[:-2] + b"6\n")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(other, path)


def written_to(path: Path) -> None:
    state = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    # It might be within the same tick of the clock.
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def removed(path: Path) -> None:
    path.unlink()


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLOCK_BYTES", "LEAST_BLOCK_BYTES", "SMALL_BYTES"):
        monkeypatch.setattr(plan, name, 1 << 14)
    monkeypatch.setattr(rows, "PIECE", 1 << 12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = LinearRegression().fit(FRAME[:10], range(10))
    return plant(tmp_path / "code", {"model.pkl": pickled(model)})


def source_of(folder: Path, name: str) -> Path:
    return plant(folder.parent, {name: WRITE[name](FRAME)}) / name


@contextmanager
def changed_when_the_first_block_is_done(path: Path, change: Change) -> Iterator[None]:
    add = Store.add

    def added(store: Store, block: Block, segment: Segment) -> None:
        add(store, block, segment)
        if block.number == 0:
            change(path)

    with mock.patch.object(Store, "add", added):
        yield


def check_told(folder: Path, source: Path, capsys: pytest.CaptureFixture[str], *, told: str = "", **given: Any) -> None:
    """See that a run ends since its input was changed, that nothing of it stays, and that nothing else is told."""
    begins = f"^The input '{source}' was changed while it was read: {told}"
    with pytest.raises(Changed, match=begins) as caught:
        score(folder, source, output=folder.parent / "out.csv", **given)
    assert caught.value.exit_code == InputError.exit_code
    assert [name for name in os.listdir(folder.parent) if name.startswith("out")] == []
    assert BEGINS_ANEW not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        *[(change, r"it has \d+ bytes, and had \d+, expected") for change in (in_a_row, behind_a_row, grown)],
        (emptied, "it has 0 bytes"),
        (replaced, "it was written to, or replaced"),
        (written_to, "it was written to, or replaced"),
        (removed, "it is not there any more"),
    ],
)
def test_a_file_that_changes_ends_the_run(
    folder: Path, change: Change, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_of(folder, "in.csv")
    with changed_when_the_first_block_is_done(source, change):
        check_told(folder, source, capsys, told=told)


@pytest.mark.parametrize("change", [in_a_row, replaced])
def test_a_file_that_changes_ends_workers(folder: Path, change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    source = source_of(folder, "in.csv")
    with changed_when_the_first_block_is_done(source, change):
        check_told(folder, source, capsys, workers=2)


@pytest.mark.parametrize("change", [in_a_row, emptied, grown])
@pytest.mark.parametrize("name", ["in.csv.gz", "in.ndjson", "in.parquet"])
def test_a_file_of_any_kind_that_changes_ends_the_run(
    folder: Path, change: Change, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_of(folder, name)
    with changed_when_the_first_block_is_done(source, change):
        check_told(folder, source, capsys)


def test_a_file_that_changes_when_types_contradict_is_not_begun_anew(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_of(folder, "in.csv")
    lines = source.read_text().splitlines()
    lines[ROWS // 2] = ",0.5"
    source.write_text("\n".join(lines))
    last = changing(plan.look, lambda: behind_a_row(source))

    def look(batch: Plan, *, expects: bool = False) -> object:
        return plan_look(batch, expects=True) if expects else last(batch)

    plan_look = plan.look
    with mock.patch.object(plan, "look", look):
        check_told(folder, source, capsys)


@pytest.mark.parametrize("place", [(plan, "look"), (sources, "read")])
def test_a_file_that_changes_between_looks_and_reading_ends_the_run(
    folder: Path, place: tuple[object, str], capsys: pytest.CaptureFixture[str]
) -> None:
    source = source_of(folder, "in.csv")
    change = changing(getattr(*place), lambda: replaced(source))
    with mock.patch.object(*place, change):
        check_told(folder, source, capsys, whole_file=place[0] is sources)


def changing(function: Callable[..., object], change: Callable[[], None]) -> Callable[..., object]:
    """Return a function that does the same, and then changes a file."""

    def changed(*args: object, **given: object) -> object:
        made = function(*args, **given)
        change()
        return made

    return changed


def test_a_file_with_other_rights_or_another_number_is_as_it_was(tmp_path: Path) -> None:
    source = plant(tmp_path, {"in.csv": "a\n1\n"}) / "in.csv"
    before = steady.states([str(source)])
    source.chmod(0o600)
    steady.check(before)
    now = State.of(source.stat())
    now.check("in.csv", replace(now, file=(0, 0)))


def test_what_is_not_due_to_a_file_is_told_though_it_has_changed(tmp_path: Path) -> None:
    plant(tmp_path, {"in.csv": "a\n1\n"})
    states = steady.states([str(tmp_path / "in.csv")])
    grown(tmp_path / "in.csv")
    with pytest.raises(RunnerError, match="No space left"), steady.blamed(states):
        raise RunnerError("No space left")
    with pytest.raises(Changed), steady.blamed(states):
        raise InputError("The CSV input is empty")
