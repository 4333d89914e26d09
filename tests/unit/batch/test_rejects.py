"""Rows that fail while others do not: left out or empty in the output, and told with their reasons."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner.errors import ContractError, InputError, RunnerError, SchemaError, UsageError

from ..folders import plant
from .runs import score

# Fails if any of its rows is bad, in different ways.
HOOKS = """
    import pathlib
    import pandas as pd

    SEEN = pathlib.Path(__file__).parent.with_name("calls")

    def score(data, model, **kwargs):
        with SEEN.open("a") as file:
            file.write(f"{len(data)}\\n")
        if (data["a"] == 13).any():
            raise ValueError("thirteen")
        made = pd.DataFrame({"Predictions": data["a"] / 2, "twice": data["a"] * 2, "is_even": data["a"] % 2 == 0})
        data["a"] = 0
        return made[made["Predictions"] != 3.5]
"""
FRAME = pd.DataFrame({"a": range(20), "b": "x,y"})
BAD = {
    7: "Expected one prediction per row of input: 1 rows, but 0 predictions (returned by the score hook)",
    13: "The score hook raised. Exception: ValueError('thirteen') (custom.py:11)",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose hook fails for two of twenty rows."""
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    return plant(tmp_path / "code", {"custom.py": HOOKS})


def run(folder: Path, name: str = "out.csv", *, on_error: str, rejected: str = "bad.csv", **options: Any) -> Path:
    """Run a batch and return its output."""
    beside = folder.parent
    given = {"batch_rows": 5, **options}
    score(folder, beside / "in.csv", output=beside / name, on_error=on_error, rejects=beside / rejected, **given)
    return beside / name


@pytest.mark.parametrize("workers", [1, 2])
def test_failing_rows_can_be_left_out(folder: Path, workers: int) -> None:
    found = pd.read_csv(run(folder, on_error="skip", workers=workers))
    good = FRAME[~FRAME["a"].isin(BAD)]["a"]
    assert found["Predictions"].tolist() == (good / 2).tolist()
    assert found["twice"].tolist() == (good * 2).tolist()


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".ndjson": lambda path: pd.read_json(path, lines=True),
    ".parquet": pd.read_parquet,
}


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.parquet", "out.csv.gz"])
@pytest.mark.parametrize("block_rows", [1, 4, 20])
def test_failing_rows_can_be_empty_in_the_output(folder: Path, name: str, block_rows: int) -> None:
    path = run(folder, name, on_error="null", batch_rows=block_rows)
    found = READERS.get(path.suffix, pd.read_csv)(path)
    expected = (FRAME["a"] / 2).where(~FRAME["a"].isin(BAD))
    pd.testing.assert_series_equal(found["Predictions"], expected, check_names=False)
    assert found["twice"].dropna().tolist() == [n * 2 for n in FRAME["a"] if n not in BAD]
    assert found.isna().sum(axis=1).tolist() == [3 if n in BAD else 0 for n in FRAME["a"]]


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.parquet", "out.csv.gz"])
@pytest.mark.parametrize("block_rows", [1, 4, 20])
def test_empty_rows_keep_their_keys(folder: Path, name: str, block_rows: int) -> None:
    (FRAME + {"a": 7, "b": ""}).assign(key=range(20)).to_csv(folder.parent / "in.csv", index=False)
    path = run(folder, name, on_error="null", batch_rows=block_rows, passthrough=("key", "b"))
    found = READERS.get(path.suffix, pd.read_csv)(path)
    assert found["Predictions"].isna().tolist() == [n in (0, 6) for n in range(20)]
    assert (found["key"].tolist(), found["b"].tolist()) == (list(range(20)), ["x,y"] * 20)
    assert found["key"].dtype == "int64"


def test_empty_rows_keep_their_keys_on_the_way_to_standard_output(folder: Path) -> None:
    (FRAME + {"a": 13, "b": ""}).to_csv(folder.parent / "in.csv", index=False)
    given: dict[str, Any] = {"batch_rows": 1, "on_error": "null", "rejects": folder.parent / "bad.csv"}
    lines = score(folder, folder.parent / "in.csv", passthrough=("a",), **given).splitlines()
    assert lines[:3] == [b"Predictions,twice,is_even,a", b",,,13", b"7.0,28,True,14"]


@pytest.mark.parametrize(("on_error", "rows"), [("skip", 18), ("null", 20)])
def test_a_terminal_gets_to_see_what_is_left(folder: Path, on_error: str, rows: int) -> None:
    given: dict[str, Any] = {"batch_rows": 1, "on_error": on_error, "rejects": folder.parent / "bad.csv"}
    shown = score(folder, folder.parent / "in.csv", terminal=True, **given).decode()
    assert shown.endswith(f"[{rows} rows x 3 columns]\n")


def test_the_first_rows_may_be_empty_too(folder: Path) -> None:
    (FRAME + {"a": 13, "b": ""}).to_csv(folder.parent / "in.csv", index=False)
    lines = run(folder, on_error="null", batch_rows=1).read_text().splitlines()
    assert lines[:3] == ["Predictions,twice,is_even", ",,", "7.0,28,True"]


def test_integers_and_truth_values_stay_what_they_are_beside_what_is_missing(folder: Path) -> None:
    lines = run(folder, on_error="null", batch_rows=20).read_text().splitlines()
    assert lines[7:9] == ["3.0,12,True", ",,"]


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson"])
def test_integers_beside_what_is_missing_are_floats_where_those_of_other_blocks_are(folder: Path, name: str) -> None:
    plant(folder, {"custom.py": HOOKS.replace('data["a"] * 2', '[n if n < 15 else n / 2 for n in data["a"]]')})
    text = run(folder, name, on_error="null", batch_rows=5).read_text()
    assert "6.0" in text
    assert re.search(r"[,:]6[,}]", text) is None


@pytest.mark.parametrize(("thirteens", "options"), [(5, {}), (5, {"workers": 2}), (4, {}), (20, {"batch_rows": 20})])
def test_a_first_block_without_predictions_is_told_if_others_follow(
    folder: Path, thirteens: int, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    FRAME.where(FRAME["a"] >= thirteens, 13).to_csv(folder.parent / "in.csv", index=False)
    with suppress(ContractError):
        run(folder, on_error="null", **options)
    told = f"drum: all 5 rows of the first block were rejected; the first because: {BAD[13]}\n"
    found = capsys.readouterr().err
    assert told in found if thirteens == 5 else "first block" not in found


def test_a_pipe_of_one_block_without_predictions_is_told_once(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n13,x\n13,y\n")))
    with pytest.raises(ContractError, match="All rows were rejected"):
        score(folder, "-", output=folder.parent / "out.csv", on_error="skip", rejects=folder.parent / "bad.csv")
    assert "first block" not in capsys.readouterr().err


@pytest.mark.parametrize("rejected", ["bad.csv", "bad.ndjson", "bad.csv.gz"])
@pytest.mark.parametrize("on_error", ["skip", "null"])
def test_failing_rows_are_told_with_number_reason_and_values(folder: Path, rejected: str, on_error: str) -> None:
    run(folder, on_error=on_error, rejected=rejected)
    path = folder.parent / rejected
    found = READERS.get(path.suffix, pd.read_csv)(path)
    assert list(found.columns) == ["reject_row", "reject_reason", "a", "b"]
    assert found[["reject_row", "a", "b"]].to_numpy().tolist() == [[8, 7, "x,y"], [14, 13, "x,y"]]
    assert found["reject_reason"].tolist() == list(BAD.values())


def test_a_run_without_failing_rows_tells_of_none(folder: Path) -> None:
    FRAME[:5].to_csv(folder.parent / "in.csv", index=False)
    plant(folder.parent, {"bad.csv": "of an earlier run"})
    run(folder, on_error="skip")
    assert (folder.parent / "bad.csv").read_text() == "reject_row,reject_reason\n"


def test_rejected_rows_can_be_handed_in_again(folder: Path) -> None:
    run(folder, on_error="skip")
    (folder.parent / "out.csv").unlink()
    (folder.parent / "bad.csv").replace(folder.parent / "in.csv")
    with pytest.raises(ContractError, match="All rows were rejected, so that there is no output"):
        run(folder, on_error="skip")
    found = pd.read_csv(folder.parent / "bad.csv")
    assert list(found.columns) == ["reject_row", "reject_reason", "a", "b"]
    assert found["reject_row"].tolist() == [1, 2]
    assert not (folder.parent / "out.csv").exists()


def test_rows_are_told_on_the_way_to_standard_output_as_well(folder: Path) -> None:
    beside = folder.parent
    given: dict[str, Any] = {"batch_rows": 5, "on_error": "skip", "rejects": beside / "bad.csv"}
    assert len(score(folder, beside / "in.csv", **given).splitlines()) == 19
    assert len(pd.read_csv(beside / "bad.csv")) == 2


def test_a_small_input_is_narrowed_down_with_few_calls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, on_error="skip", batch_rows=None)
    assert len((folder.parent / "calls").read_text().splitlines()) == 15
    assert "drum: 2 rows were rejected, see" in capsys.readouterr().err


def test_a_block_of_which_many_rows_fail_loses_no_others(tmp_path: Path) -> None:
    source = """
        import pathlib

        CALLS = pathlib.Path(__file__).parent.with_name("calls")

        def score(data, model, **kwargs):
            with CALLS.open("a") as file:
                file.write("x")
            if (data["a"] % 3 == 0).any():
                raise ValueError("a third")
            return (data["a"] / 2).to_frame("Predictions")
    """
    folder = plant(tmp_path / "code", {"custom.py": source})
    numbers = pd.DataFrame({"a": range(1500)})
    numbers.to_csv(tmp_path / "in.csv", index=False)
    found = pd.read_csv(run(folder, on_error="skip", batch_rows=1500))
    assert found["Predictions"].tolist() == (numbers["a"] / 2)[numbers["a"] % 3 != 0].tolist()
    assert pd.read_csv(tmp_path / "bad.csv")["reject_row"].tolist() == list(range(1, 1501, 3))
    assert (tmp_path / "calls").stat().st_size < 1.4 * 1500


@contextmanager
def cut_off() -> Iterator[None]:
    """Have a run fail when its rejects get their name, and leave what a process that is killed there leaves."""
    given = os.replace

    def replace(path: Path, target: Path) -> None:
        if target.name == "bad.csv":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        given(path, target)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "replace", replace)
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(RunnerError, match=r"--rejects: '.*bad.csv' cannot be written: No space left"):
            yield


def test_an_interrupted_run_has_the_same_output_and_the_same_rejects(folder: Path) -> None:
    run(folder, on_error="null")
    beside = folder.parent
    whole = [(beside / name).read_bytes() for name in ("out.csv", "bad.csv")]
    (beside / "out.csv").unlink()
    (beside / "bad.csv").unlink()
    with cut_off():
        run(folder, on_error="null")
    (beside / "out.csv.partial" / "00000002.segment").unlink()
    run(folder, on_error="null", resume=True)
    assert [(beside / name).read_bytes() for name in ("out.csv", "bad.csv")] == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_ended_where_a_row_fails_goes_on_past_it(
    folder: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = folder.parent
    run(folder, on_error="skip")
    whole = [(beside / name).read_bytes() for name in ("out.csv", "bad.csv")]
    calls = len((beside / "calls").read_text().splitlines())
    for name in ("out.csv", "bad.csv", "calls"):
        (beside / name).unlink()
    with pytest.raises(RunnerError, match="Rows 6 to 10"):
        score(folder, beside / "in.csv", output=beside / "out.csv", batch_rows=5)
    assert "goes on from there, with --on-error skip and --rejects also past rows" in capsys.readouterr().err
    run(folder, on_error="skip", resume=True, workers=workers)
    assert [(beside / name).read_bytes() for name in ("out.csv", "bad.csv")] == whole
    # The failing block is predicted twice.
    assert len((beside / "calls").read_text().splitlines()) == calls + 1


def test_a_run_that_may_have_rejected_rows_does_not_go_on_without(folder: Path) -> None:
    beside = folder.parent
    with pytest.raises(RunnerError, match="Rows 6 to 10"):
        score(folder, beside / "in.csv", output=beside / "out.csv", batch_rows=5)
    with cut_off():
        run(folder, on_error="null", resume=True)
    with pytest.raises(UsageError, match="--resume: --on-error is 'stop', expected 'null'"):
        score(folder, beside / "in.csv", output=beside / "out.csv", batch_rows=5, resume=True)


def test_rejects_in_the_code_directory_can_be_resumed(folder: Path) -> None:
    with cut_off():
        run(folder, on_error="null", rejected="code/bad.csv")
    run(folder, on_error="null", rejected="code/bad.csv", resume=True)
    assert pd.read_csv(folder / "bad.csv")["reject_row"].tolist() == [8, 14]


def test_no_other_file_is_touched_by_rejects(folder: Path) -> None:
    plant(folder.parent, {"bad.csv.new": "somebody's"})
    run(folder, on_error="skip")
    assert (folder.parent / "bad.csv.new").read_text() == "somebody's"


def test_there_is_nothing_to_resume_where_all_rows_were_rejected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FRAME[13:14].to_csv(folder.parent / "in.csv", index=False)
    with pytest.raises(ContractError, match="All rows were rejected"):
        run(folder, on_error="skip")
    assert "--resume" not in capsys.readouterr().err
    assert not (folder.parent / "out.csv.partial").exists()


def test_a_misspelt_column_to_carry_along_is_told_with_the_one_that_is_meant(folder: Path) -> None:
    with pytest.raises(RunnerError, match="lacks 1 of the columns: A; did you mean 'a'"):
        run(folder, on_error="skip", passthrough=("A",))


def test_what_is_no_failure_of_some_rows_ends_the_run(folder: Path) -> None:
    with pytest.raises(RunnerError, match=r"Rows 1 to 5 of 'in.csv': --passthrough: the input lacks") as caught:
        run(folder, on_error="skip", passthrough=("z",))
    assert caught.value.exit_code == InputError.exit_code


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"on_error": "skip"}, "--on-error skip or null and --rejects FILE go together; found only one"),
        ({"rejects": "bad.csv"}, "--on-error skip or null and --rejects FILE go together; found only one"),
        (
            {"on_error": "skip", "rejects": "bad.parquet"},
            "--rejects: rows are not written as .*parquet, expected",
        ),
        ({"on_error": "skip", "rejects": "in.csv"}, "--rejects: '.*in.csv' is the input file itself"),
        ({"on_error": "skip", "rejects": "out.csv"}, "--rejects: '.*out.csv' is the output itself"),
        ({"on_error": "skip", "rejects": "bad.csv", "whole_file": True}, "--whole-file and --on-error exclude each"),
    ],
)
def test_options_that_do_not_fit_are_refused(folder: Path, given: dict[str, Any], message: str) -> None:
    beside = folder.parent
    if "rejects" in given:
        given = {**given, "rejects": beside / given["rejects"]}
    with pytest.raises(UsageError, match=message):
        score(folder, beside / "in.csv", output=beside / "out.csv", **given)


def test_what_must_be_read_as_a_whole_has_no_rows_to_reject(folder: Path) -> None:
    (folder.parent / "in.json").write_text(json.dumps([{"a": 1}]))
    with pytest.raises(UsageError, match="--on-error: the input is handed over as a whole"):
        score(folder, folder.parent / "in.json", on_error="skip", rejects=folder.parent / "bad.csv")


def test_a_single_row_is_told_as_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FRAME[:8].to_csv(folder.parent / "in.csv", index=False)
    run(folder, on_error="skip")
    assert "drum: 1 row was rejected, see" in capsys.readouterr().err


def test_rows_that_do_not_fail_again_are_not_rejected(tmp_path: Path) -> None:
    source = """
        CALLS = []

        def score(data, model, **kwargs):
            CALLS.append(len(data))
            if len(CALLS) == 1:
                raise ValueError("once")
            return (data["a"] / 2).to_frame("Predictions")
    """
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    found = pd.read_csv(run(plant(tmp_path / "code", {"custom.py": source}), on_error="null", batch_rows=20))
    assert found["Predictions"].tolist() == (FRAME["a"] / 2).tolist()


@pytest.fixture(params=["lone", "behind a transform hook"])
def linear(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a model of scikit-learn, which takes numbers without gaps."""
    files = {"model.pkl": pickle.dumps(LinearRegression().fit(pd.DataFrame({"a": [0.0, 1.0]}), [0.0, 2.0]))}
    hook = {"custom.py": "def transform(data, model):\n    return data\n"}
    return plant(tmp_path / "code", files if request.param == "lone" else {**files, **hook})


@pytest.mark.parametrize("block_rows", [1, 3, 100])
@pytest.mark.parametrize("bad", ["", "inf", "one"])
def test_rows_that_a_library_refuses_are_rejected(linear: Path, bad: str, block_rows: int) -> None:
    lines = [bad if n == 13 else str(n) for n in range(20)]
    (linear.parent / "in.csv").write_text("\n".join(["a,b", *(f"{line},x" for line in lines)]))
    found = pd.read_csv(run(linear, on_error="skip", batch_rows=block_rows))
    assert found["Predictions"].round(6).tolist() == [2 * n for n in range(20) if n != 13]
    rejected = pd.read_csv(linear.parent / "bad.csv")
    assert rejected["reject_row"].tolist() == [14]
    assert rejected["reject_reason"][0].startswith("LinearRegression cannot use the input (ValueError)")


@pytest.mark.parametrize("block_rows", [1, 4, 20])
def test_a_reason_names_the_row_by_its_number_in_the_input(tmp_path: Path, block_rows: int) -> None:
    schema = "{output_requirements: [{field: contains_missing, condition: EQUALS, value: NEVER}]}"
    metadata = f"name: m\ntype: inference\ntargetType: transform\ntypeSchema: {schema}\n"
    hook = "def transform(data, model):\n    return data.where(~data['a'].isin([7, 13]))\n"
    folder = plant(tmp_path / "code", {"model-metadata.yaml": metadata, "custom.py": hook})
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    run(folder, on_error="skip", batch_rows=block_rows, target_type="transform")
    reasons = pd.read_csv(tmp_path / "bad.csv")["reject_reason"]
    assert reasons.str.extract(r"row (\d+)")[0].tolist() == ["8", "14"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_names_the_row_by_its_number_in_the_file(linear: Path, workers: int) -> None:
    lines = ["one" if n == 13 else str(n) for n in range(20)]
    (linear.parent / "in.csv").write_text("\n".join(["a,b", *(f"{line},x" for line in lines)]))
    message = "Rows 11 to 15 of 'in.csv': LinearRegression .*; column a holds numbers, but none in row 14; "
    with pytest.raises(RunnerError, match=message):
        score(linear, linear.parent / "in.csv", output=linear.parent / "out.csv", batch_rows=5, workers=workers)


def test_columns_that_only_a_part_of_a_block_lacks_end_the_run_with_its_rows(tmp_path: Path) -> None:
    """Dummies of fewer rows are fewer, so that good rows would be rejected with the bad ones."""
    hook = """
        import pandas as pd

        def transform(data, model):
            return pd.get_dummies(data["b"]).join(data["a"])
    """
    frame = pd.DataFrame({"x": [0, 1], "y": [1, 0], "a": [0.0, 1.0]})
    model = pickle.dumps(LinearRegression().fit(frame, [0.0, 2.0]))
    folder = plant(tmp_path / "code", {"custom.py": hook, "model.pkl": model})
    pd.DataFrame({"a": [0, 1, 2, 3, None], "b": list("xyxyx")}).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(RunnerError, match=r"Row 5 of 'in.csv': The table that the transform hook returned lacks 1 of"):
        run(folder, on_error="skip", batch_rows=5)


def test_where_all_rows_are_rejected_the_reason_of_the_first_is_told(linear: Path) -> None:
    (linear.parent / "in.csv").write_text("a,b\n,x\n,y\n")
    with pytest.raises(ContractError, match="no output; the first because: LinearRegression cannot use the input"):
        run(linear, on_error="skip")


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_that_break_the_schema_end_the_run_and_are_named(folder: Path, workers: int) -> None:
    schema = "inputSchema: {type: object, properties: {a: {type: integer}, b: {}}, required: [a]}"
    metadata = f"name: m\ntype: inference\ntargetType: regression\n{schema}\n"
    plant(folder, {"model-metadata.yaml": metadata, "custom.py": HOOKS.replace("13", "-1").replace("3.5", "-1")})
    (folder.parent / "in.csv").write_text("\n".join(["a,b", *("," if n == 12 else f"{n}," for n in range(20))]))
    with pytest.raises(
        RunnerError, match=r"^Rows 11 to 15 of 'in.csv': Schema .* a missing value in row 13$"
    ) as caught:
        run(folder, on_error="skip", workers=workers)
    assert caught.value.exit_code == SchemaError.exit_code
    assert not (folder.parent / "out.csv.partial").exists()
