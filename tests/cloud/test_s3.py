"""Batches from and to a store that speaks like S3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from s3fs import S3FileSystem

from custom_model_runner.addresses import Address
from custom_model_runner.batch import sinks, sources
from custom_model_runner.batch.stores import objects
from custom_model_runner.errors import InputError, RunnerError, UsageError

from ..storage import Store
from ..unit.batch.runs import score
from ..unit.folders import plant
from .commands import drum
from .conftest import FRAME
from .rows import CSV, encoded

SUFFIXES = [".csv", ".csv.gz", ".ndjson", ".parquet", ".arrow"]
MIB = 1 << 20


def at(key: str) -> str:
    return f"s3://data/{key}"


def stored(key: str) -> bytes:
    data: bytes = S3FileSystem(use_listings_cache=False).cat_file(f"data/{key}")
    return data


def is_there(key: str) -> bool:
    return bool(S3FileSystem(use_listings_cache=False).exists(f"data/{key}"))


def unfinished() -> list[Any]:
    """Return the uploads that were begun and neither completed nor aborted."""
    uploads: list[Any] = S3FileSystem().call_s3("list_multipart_uploads", Bucket="data").get("Uploads", [])
    return uploads


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_is_read_as_from_a_file(s3: Store, folder: Path, tmp_path: Path, suffix: str) -> None:
    data = encoded(suffix)
    s3.put(f"data/in{suffix}", data)
    (tmp_path / f"in{suffix}").write_bytes(data)
    assert score(folder, at(f"in{suffix}"), batch_rows=300) == score(folder, tmp_path / f"in{suffix}", batch_rows=300)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("given", [{"batch_rows": 300}, {"whole_file": True}], ids=str)
def test_every_format_is_written_as_to_a_file(
    s3: Store, folder: Path, tmp_path: Path, suffix: str, given: dict[str, Any]
) -> None:
    (tmp_path / "in.csv").write_bytes(CSV)
    for output in (Address(at(f"out{suffix}")), tmp_path / f"out{suffix}"):
        assert score(folder, tmp_path / "in.csv", output=output, **given) == b""
    assert stored(f"out{suffix}") == (tmp_path / f"out{suffix}").read_bytes()


@pytest.fixture
def days(s3: Store) -> None:
    """A folder with two files in it, and others that are none of it."""
    for name, count in (("day-1.csv", 3), ("day-2.csv", 2), ("_SUCCESS", 9), (".hidden.csv", 9), ("deep/day-3.csv", 9)):
        s3.put(f"data/days/{name}", FRAME[:count].to_csv(index=False))


@pytest.mark.parametrize("name", ["days", "days/", "days/day-*.csv", "days/day-[12].csv", "da*s/day-?.csv"])
@pytest.mark.usefixtures("days")
def test_folders_and_patterns_are_several_files(folder: Path, name: str) -> None:
    assert list(sources.files(at(name))) == [at("days/day-1.csv"), at("days/day-2.csv")]
    assert len(score(folder, at(name)).splitlines()) == 1 + 5


@pytest.mark.parametrize("name", ["gone.csv", "gone/*.csv", "gone/"])
def test_what_is_not_there_is_a_usage_error(s3: Store, folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"^--input: '{name and at(name)}' is not there, ".replace("*", r"\*")):
        score(folder, at(name))


# 1 KiB for each row, so that a few parts are uploaded.
WIDE = """
    import pandas as pd

    def score(data, model, **kwargs):
        if data["a"].max() > LAST:
            raise ValueError("no more")
        return pd.DataFrame({"Predictions": data["a"], "text": "x" * 1024})
"""


@pytest.fixture
def wide(s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Score 15,000 rows into an object of 15 MiB, and fail behind a number of rows."""
    monkeypatch.setattr(objects, "PART_BYTES", 5 * MIB)
    (tmp_path / "long.csv").write_text("a\n" + "".join(f"{number}\n" for number in range(15_000)))

    def run(last: int) -> None:
        hooks = plant(tmp_path / "hooks", {"custom.py": WIDE.replace("LAST", str(last))})
        score(hooks, tmp_path / "long.csv", output=Address(at("wide.csv")), batch_rows=1000)

    return run


def test_a_large_output_is_uploaded_in_parts(wide: Callable[[int], None]) -> None:
    wide(99_999)
    assert stored("wide.csv").count(b"\n") == 15_001
    assert unfinished() == []
    S3FileSystem().rm_file("data/wide.csv")


def test_a_run_that_fails_leaves_neither_an_object_nor_parts(wide: Callable[[int], None]) -> None:
    with pytest.raises(Exception, match=r"^Rows 14001 to 15000 of .long\.csv"):
        wide(14_000)
    assert (is_there("wide.csv"), unfinished()) == (False, [])


def test_an_object_stays_as_it_was_when_a_run_fails(s3: Store, wide: Callable[[int], None]) -> None:
    s3.put("data/wide.csv", "before")
    with pytest.raises(Exception, match="no more"):
        wide(500)
    assert stored("wide.csv") == b"before"


def test_an_object_that_is_replaced_while_it_is_read_is_told(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "READ_BYTES", MIB)
    s3.put("data/moving.csv", b"a" * 5 * MIB)

    def read() -> None:
        with sources.opened(at("moving.csv"), 1 << 40) as stream:
            assert stream.read(1000) == b"a" * 1000
            s3.put("data/moving.csv", b"b" * 5 * MIB)
            while stream.read(MIB):
                pass

    with pytest.raises(InputError, match=r"'s3://data/moving.csv' was changed while it was read"):
        read()


def test_the_input_is_no_output(s3: Store, folder: Path) -> None:
    s3.put("data/in.csv", CSV)
    with pytest.raises(UsageError, match=r"--output: 's3://data/in.csv' is the input file itself"):
        sinks.settle(Address(at("in.csv")), at("in.csv"))


@pytest.mark.parametrize("is_input", [True, False])
def test_what_is_in_a_store_cannot_be_resumed(s3: Store, folder: Path, tmp_path: Path, is_input: bool) -> None:
    s3.put("data/in.csv", CSV)
    (tmp_path / "in.csv").write_bytes(CSV)
    source, output = (at("in.csv"), tmp_path / "out.csv") if is_input else (tmp_path / "in.csv", Address(at("out.csv")))
    with pytest.raises(UsageError, match=f"^--resume: .* as --{'input' if is_input else 'output'}$"):
        score(folder, source, output=output, resume=True)


def test_a_bucket_that_is_not_there_cannot_be_written(s3: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(CSV)
    with pytest.raises(RunnerError, match=r"--output: 's3://gone/out.csv' cannot be written: NoSuchBucket "):
        score(folder, tmp_path / "in.csv", output=Address("s3://gone/out.csv"))


def test_the_command_reads_and_writes_with_several_processes(s3: Store, folder: Path) -> None:
    s3.put("data/in.csv", CSV)
    words = ("--input", at("in.csv"), "--output", at("made.csv"), "--batch-rows", "300", "--workers", "2")
    done = drum("score", "-cd", folder, *words, env=s3.variables)
    assert (done.stdout, done.returncode) == (b"", 0)
    assert done.stderr == b"drum: no target type given: regression inferred from the model\n"
    assert stored("made.csv").count(b"\n") == 1001


def test_a_refused_key_is_told_without_its_secret(s3: Store, folder: Path) -> None:
    s3.put("data/in.csv", CSV)
    with s3.locked():
        done = drum("score", "-cd", folder, "--input", at("in.csv"), env=s3.variables)
    assert (done.returncode, done.stderr.count(b"\n")) == (6, 1)
    assert done.stderr.startswith(
        b"drum: error: The input 's3://data/in.csv' cannot be read: the credential is refused"
    )
    assert s3.variables["AWS_SECRET_ACCESS_KEY"].encode() not in done.stderr


def test_no_credentials_are_told(s3: Store, folder: Path) -> None:
    env = {name: text for name, text in s3.variables.items() if "KEY" not in name}
    done = drum("score", "-cd", folder, "--input", at("in.csv"), env={**env, "AWS_EC2_METADATA_DISABLED": "true"})
    assert done.stderr == (
        b"drum: error: The input 's3://data/in.csv' cannot be read: NoCredentialsError: Unable to locate credentials\n"
    )
