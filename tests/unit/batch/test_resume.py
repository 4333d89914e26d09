"""Runs that go on where others stopped: the same bytes, nothing twice, and nothing else than what was begun."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custom_model_runner.batch import identity, partial, plan, sinks
from custom_model_runner.batch.blocks import Block, Blocks
from custom_model_runner.batch.rest import Rest
from custom_model_runner.batch.segments import Segment
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, RunnerError, UsageError

from ..folders import plant
from .runs import score

# Tells what it is given, and fails from a row on that a file names.
HOOKS = """
    import pathlib
    import pandas as pd

    BESIDE = pathlib.Path(__file__).parent.parent

    def score(data, model, **kwargs):
        if (BESIDE / "fails").exists() and data["a"].max() >= float((BESIDE / "fails").read_text()):
            raise RuntimeError
        with (BESIDE / "seen").open("a") as file:
            file.writelines(f"{value}\\n" for value in data["a"])
        return pd.DataFrame({"Predictions": data["a"] / 3, "kind": str(data["b"].dtype)})
"""
ROWS = 20
# The last row tells the type of a column.
FRAME = pd.DataFrame({"a": range(ROWS), "b": [*range(ROWS - 1), 0.5], "c": "x\ny"})
SCHEMA = pa.Table.from_pandas(FRAME, preserve_index=False).schema


def rows_file(path: Path, frame: pd.DataFrame) -> None:
    """Write rows in the format that a name tells."""
    if path.suffix == ".parquet":
        # Of no rows it has the same types.
        pq.write_table(pa.Table.from_pandas(frame, SCHEMA, preserve_index=False), path, row_group_size=7)
    elif path.suffix == ".arrow":
        frame.to_feather(path, chunksize=7)
    elif path.suffix == ".ndjson":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)


def rows_files(tmp_path: Path, name: str) -> Path:
    """Write rows to a file, or to several in a folder, one of which has none."""
    path = tmp_path / name
    if "/" not in name:
        rows_file(path, FRAME)
        return path
    path.parent.mkdir()
    for number, part in enumerate([FRAME[:9], FRAME[:0], FRAME[9:]]):
        rows_file(path.with_name(f"{number}-{path.name}"), part)
    return path.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with hooks."""
    return plant(tmp_path / "code", {"custom.py": HOOKS})


def seen(tmp_path: Path) -> list[int]:
    """Return the rows that the hook has predicted, in order."""
    path = tmp_path / "seen"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def interrupted(folder: Path, source: Path, *, at: int, **options: Any) -> Path:
    """Run a batch that fails at a row, and return its output, which is not there."""
    output = folder.parent / "out.csv"
    plant(folder.parent, {"fails": str(at)})
    with pytest.raises(RunnerError):
        score(folder, source, output=output, **options)
    (folder.parent / "fails").unlink()
    assert not output.exists()
    return output


@pytest.mark.parametrize(
    "name", ["in.csv", "in.csv.gz", "in.ndjson", "in.parquet", "in.arrow", "in/rows.csv", "in/rows.parquet"]
)
def test_a_resumed_run_ends_with_the_same_bytes_and_predicts_no_row_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = rows_files(tmp_path, name)
    score(folder, source, output=tmp_path / "whole.csv", batch_rows=3)
    (tmp_path / "seen").unlink()
    output = interrupted(folder, source, at=10, batch_rows=3)
    monkeypatch.delattr(plan, "look")
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert seen(tmp_path) == list(range(ROWS))
    assert not (tmp_path / "out.csv.partial").exists()


@pytest.fixture
def stopped(folder: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """The folder, the input and the output of a run of which three blocks of three rows are done."""
    source = rows_files(tmp_path, "in.csv")
    return folder, source, interrupted(folder, source, at=10, batch_rows=3)


Stopped = tuple[Path, Path, Path]


def segment(output: Path, number: int) -> Path:
    """Return where a segment is kept."""
    return output.with_name(f"{output.name}.partial") / f"{number:08}.segment"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def garble(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3] + b"\0\0\0")


@pytest.mark.parametrize("harm", [Path.unlink, cut, garble, lambda path: path.write_bytes(b"")])
def test_a_segment_that_is_not_all_there_is_made_again_alone(
    stopped: Stopped, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder, source, output = stopped
    harm(segment(output, 1))
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert seen(tmp_path) == [*range(9), 3, 4, 5, *range(9, ROWS)]
    lines = output.read_text().splitlines()[1:]
    assert [float(line.partition(",")[0]) for line in lines] == (FRAME["a"] / 3).tolist()


def test_a_segment_that_is_damaged_later_does_not_get_into_the_output(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = rows_files(tmp_path, "in.csv"), tmp_path / "out.csv"
    given = Rest.check

    def check(rest: Rest) -> None:
        garble(segment(output, 1))
        given(rest)

    with monkeypatch.context() as patched:
        patched.setattr(Rest, "check", check)
        with pytest.raises(RunnerError, match=r"00000001.segment' is damaged, expected what was kept there"):
            score(folder, source, output=output, batch_rows=3)
    assert not output.exists()
    score(folder, source, output=output, batch_rows=3, resume=True)
    lines = output.read_text().splitlines()[1:]
    assert [float(line.partition(",")[0]) for line in lines] == (FRAME["a"] / 3).tolist()


def test_what_is_kept_is_for_its_owner_only(stopped: Stopped) -> None:
    assert stat.S_IMODE(segment(stopped[2], 0).parent.stat().st_mode) == 0o700


def full_at(place: Path) -> Callable[[Path], None]:
    """Return a sync that finds the disk full at one file."""

    def sync(path: Path) -> None:
        if path == place:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return sync


def test_a_run_that_was_ended_in_its_last_step_has_only_that_to_do(
    stopped: Stopped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, source, output = stopped
    with monkeypatch.context() as patched:
        patched.setattr(sinks, "sync", full_at(output.with_name("out.csv.partial") / "output"))
        with pytest.raises(RunnerError, match=r"out.csv' cannot be written: No space left"):
            score(folder, source, output=output, batch_rows=3, resume=True)
    assert not output.exists()
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert seen(tmp_path) == list(range(ROWS))
    assert len(output.read_bytes().splitlines()) == ROWS + 1


def test_a_full_disk_when_a_run_goes_on_names_the_folder(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source, output = stopped
    monkeypatch.setattr(sinks, "sync", full_at(output.with_name("out.csv.partial") / "journal.new"))
    with pytest.raises(RunnerError, match=r"^--output: '.*/out.csv.partial' cannot be written: No space left"):
        score(folder, source, output=output, batch_rows=3, resume=True)
    assert segment(output, 2).exists()


def not_cleared_up(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return input and output of a run that was complete, and was ended when it began to clear up."""
    source, output = rows_files(tmp_path, "in.csv"), tmp_path / "out.csv"
    with monkeypatch.context() as patched:
        patched.setattr(partial, "_remove", lambda _: None)
        score(folder, source, output=output, batch_rows=3)
    segment(output, 1).unlink()
    return source, output


def test_a_run_that_was_ended_when_it_was_complete_has_nothing_to_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = not_cleared_up(folder, tmp_path, monkeypatch)
    before = output.stat()
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert (seen(tmp_path), output.stat()) == (list(range(ROWS)), before)
    assert capsys.readouterr().err == f"drum: '{output}' is complete already\n"
    assert not (tmp_path / "out.csv.partial").exists()


def test_a_run_that_was_complete_is_not_once_it_goes_on_otherwise(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = not_cleared_up(folder, tmp_path, monkeypatch)
    given: dict[str, Any] = {"on_error": "skip", "rejects": tmp_path / "bad.csv", "batch_rows": 3, "resume": True}
    with monkeypatch.context() as patched:
        patched.setattr(sinks, "sync", full_at(output.with_name("out.csv.partial") / "output"))
        with pytest.raises(RunnerError, match="No space left"):
            score(folder, source, output=output, **given)
    capsys.readouterr()
    score(folder, source, output=output, **given)
    assert "complete already" not in capsys.readouterr().err


def test_an_output_that_has_changed_since_is_made_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = not_cleared_up(folder, tmp_path, monkeypatch)
    whole = output.read_bytes()
    output.write_bytes(whole[:-10])
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert (output.read_bytes(), seen(tmp_path)) == (whole, [*range(ROWS), 3, 4, 5])


def test_what_a_complete_run_has_left_is_nothing_to_throw_away(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = not_cleared_up(folder, tmp_path, monkeypatch)
    score(folder, source, output=output, batch_rows=3)
    assert (seen(tmp_path), capsys.readouterr().err) == ([*range(ROWS)] * 2, "")


def test_a_failure_says_how_to_go_on_and_so_does_the_run_that_does(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = rows_files(tmp_path, "in.csv")
    output = interrupted(folder, source, at=10, batch_rows=3)
    assert f"drum: 9 rows are kept in '{output}.partial'; the same command with --resume" in capsys.readouterr().err
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert "drum: going on from the 9 rows in 'out.csv.partial'" in capsys.readouterr().err


def test_a_run_that_does_not_resume_says_what_it_throws_away(
    stopped: Stopped, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, source, output = stopped
    score(folder, source, output=output, batch_rows=5)
    assert "9 rows of another run in 'out.csv.partial' are thrown away\n" in capsys.readouterr().err
    assert seen(tmp_path) == [*range(9), *range(ROWS)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "in.csv", "out.csv", "seen"]


def test_a_run_that_could_have_been_resumed_says_so(
    stopped: Stopped, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, source, output = stopped
    score(folder, source, output=output, batch_rows=3)
    told = "9 rows of an earlier run in 'out.csv.partial' are thrown away; --resume would have kept them"
    assert told in capsys.readouterr().err


def test_a_run_that_begins_again_does_not_speak_of_its_own_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with partial.opened(tmp_path / "out.csv", lambda: {"--input": "it"}, resumes=False) as kept:
        kept.begin({})
        kept.store.add(Block(0, b""), Segment(3, b"", b""))
        assert kept.begin({}) == {}
    assert capsys.readouterr().err == ""


def test_a_run_that_fails_before_it_has_begun_leaves_another_and_does_not_speak_of_it(
    stopped: Stopped, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, source, output = stopped
    capsys.readouterr()
    (tmp_path / "other.csv").write_bytes(b"a,b\n1,\xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        score(folder, tmp_path / "other.csv", output=output, batch_rows=3)
    assert capsys.readouterr().err == ""
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert seen(tmp_path) == list(range(ROWS))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_broken_input_has_left_cannot_be_resumed_and_goes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    given = Blocks.payload

    def payload(blocks: Blocks, block: Block) -> Payload:
        if blocks.types is not None and block.number == 2:
            raise InputError("It is broken")
        return given(blocks, block)

    source = rows_files(tmp_path, "in.csv")
    monkeypatch.setattr(Blocks, "payload", payload)
    with pytest.raises(InputError, match="It is broken"):
        score(folder, source, output=tmp_path / "out.csv", batch_rows=3, workers=workers)
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "out.csv.partial").exists()


@pytest.mark.parametrize("options", [{"batch_rows": 3}, {}])
def test_nothing_to_resume_is_told_and_the_run_begins_anew(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    source = rows_files(tmp_path, "in.csv")
    for _ in range(2):
        score(folder, source, output=tmp_path / "out.csv", resume=True, **options)
        assert "there is nothing to resume in 'out.csv.partial'" in capsys.readouterr().err
    assert seen(tmp_path) == [*range(ROWS), *range(ROWS)]


def touch(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda beside: touch(beside / "in.csv"), r"the input '.*in.csv' is \d+ bytes of .*, expected \d+ bytes of"),
        (
            lambda beside: plant(beside, {"code/custom.py": "x = 1"}),
            "the file 'custom.py' of the code directory is 5 by",
        ),
        (
            lambda beside: plant(beside, {"code/data/x": "1"}),
            "the file 'data/x' of the code directory is .*expected not",
        ),
        (
            lambda beside: (beside / "in.csv").rename(beside / "other.csv"),
            "--input is '.*/other.csv', expected '.*/in.csv' as when 'out.csv.partial' was begun",
        ),
        (lambda beside: (beside / "code" / "custom.py").unlink(), "the file 'custom.py' .* is not there, expected"),
    ],
)
def test_what_has_changed_is_refused_and_named(stopped: Stopped, change: Callable[[Path], None], message: str) -> None:
    folder, source, output = stopped
    change(folder.parent)
    with pytest.raises(UsageError, match=f"--resume: {message}"):
        score(folder, next(source.parent.glob("*.csv")), output=output, batch_rows=3, resume=True)
    assert segment(output, 2).exists()


def test_a_small_change_in_a_large_file_of_the_folder_is_noticed(folder: Path, tmp_path: Path) -> None:
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(80 << 20)
    source = rows_files(tmp_path, "in.csv")
    output = interrupted(folder, source, at=10, batch_rows=3)
    with (folder / "weights.bin").open("r+b") as file:
        file.seek(1100 << 10)
        file.write(b"trained anew")
    with pytest.raises(UsageError, match=r"--resume: the file 'weights.bin' of the code directory is"):
        score(folder, source, output=output, batch_rows=3, resume=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_rows": 4}, "--batch-rows is 4, expected 3"),
        ({"passthrough": ("c", "b")}, "--passthrough is 'c', 'b', expected none as when 'out.csv.partial' was begun"),
        ({"output_format": "ndjson"}, "--output-format is 'ndjson', expected none"),
        ({"whole_file": True, "batch_rows": None}, "--batch-rows is none, expected 3"),
    ],
)
def test_other_options_are_refused_and_named(stopped: Stopped, given: dict[str, Any], message: str) -> None:
    folder, source, output = stopped
    with pytest.raises(UsageError, match=f"--resume: {message}"):
        score(folder, source, output=output, **{"batch_rows": 3, **given}, resume=True)


def test_other_versions_are_refused_and_named(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source, output = stopped
    monkeypatch.setattr(identity, "__version__", "9.9")
    with pytest.raises(UsageError, match=r"--resume: the version of drum is 9\.9, expected \d"):
        score(folder, source, output=output, batch_rows=3, resume=True)


def test_other_runtime_parameters_are_refused_and_named_but_not_shown(
    stopped: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, source, output = stopped
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_X", json.dumps({"type": "string", "payload": "something"}))
    with pytest.raises(UsageError, match=r"--resume: the runtime parameter X is given, expected not there") as caught:
        score(folder, source, output=output, batch_rows=3, resume=True)
    assert "something" not in str(caught.value)


def test_what_does_not_change_results_may_differ(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, source, output = stopped
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_X", json.dumps({"type": "credential", "payload": {"credentialType": "s3"}}))
    plant(folder, {"__pycache__/x.pyc": "", ".git/HEAD": ""})
    (folder / "custom.py").touch()
    score(folder, source, output=output, batch_rows=3, resume=True, show_perf=True, summary="", workers=2)
    assert output.exists()


def test_other_values_of_runtime_parameters_are_not_shown(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = rows_files(tmp_path, "in.csv")
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_X", json.dumps({"type": "string", "payload": "one"}))
    output = interrupted(folder, source, at=10, batch_rows=3)
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_X", json.dumps({"type": "string", "payload": "two"}))
    told = "^--resume: the runtime parameter X has another value than when 'out.csv.partial' was begun; without"
    with pytest.raises(UsageError, match=told):
        score(folder, source, output=output, batch_rows=3, resume=True)


def test_a_file_in_the_way_is_named(folder: Path, tmp_path: Path) -> None:
    plant(tmp_path, {"out.csv.partial": "text"})
    with pytest.raises(UsageError, match=r"^--output: '.*/out.csv.partial' is a file, expected nothing, or the folder"):
        score(folder, rows_files(tmp_path, "in.csv"), output=tmp_path / "out.csv")


def test_a_folder_with_something_else_in_it_is_not_touched(folder: Path, tmp_path: Path) -> None:
    source = rows_files(tmp_path, "in.csv")
    plant(tmp_path / "out.csv.partial", {"thesis.txt": "text", "journal": "mine"})
    with pytest.raises(UsageError, match=r"out.csv.partial' holds 'thesis.txt', expected nothing but what a run keeps"):
        score(folder, source, output=tmp_path / "out.csv")
    assert (tmp_path / "out.csv.partial" / "journal").read_text() == "mine"


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        ("-", "out.csv", "a pipe cannot be read again, expected a file, a folder or a pattern as --input"),
        ("in.csv", None, "what was written cannot be gone on with, expected a file as --output"),
        ("in.csv", "/dev/null", "what was written cannot be gone on with, expected a file as --output"),
    ],
)
def test_pipes_cannot_be_resumed(folder: Path, tmp_path: Path, source: str, output: str | None, message: str) -> None:
    rows_files(tmp_path, "in.csv")
    given = source if source == "-" else tmp_path / source
    with pytest.raises(UsageError, match=f"--resume: {message}"):
        score(folder, given, output=None if output is None else tmp_path / output, resume=True)


@pytest.mark.parametrize("form", [{}, {"form": 0}, {"form": partial.FORM}])
def test_a_journal_of_another_form_is_nothing_to_go_on_with(
    stopped: Stopped, tmp_path: Path, form: dict[str, int]
) -> None:
    folder, source, output = stopped
    plant(tmp_path / "out.csv.partial", {"journal": json.dumps(form)})
    score(folder, source, output=output, batch_rows=3, resume=True)
    assert seen(tmp_path) == [*range(9), *range(ROWS)]
