"""Batches from and to a store that speaks like Google's."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from custom_model_runner.addresses import Address
from custom_model_runner.batch import sinks, sources
from custom_model_runner.batch.stores import objects
from custom_model_runner.errors import RunnerError, UsageError

from ..unit.batch.runs import score
from .rows import CSV, encoded

PATIENCE = 60.0
# Of a larger part aiohttp warns.
HALF = 1 << 19


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    """A server with a bucket, `data`, that the libraries know of."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ("start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=data")
    command = [sys.executable, "-W", "ignore", "-m", "gcp_storage_emulator", *words]
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
        process.terminate()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def put(address: str, *parts: bytes) -> None:
    with sinks.live(Address(address), -1) as file:
        for part in parts:
            file.write(part)


def files(address: str) -> Mapping[str, int | None]:
    return sources.files(address)


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_rows_are_read_and_written_as_with_files(folder: Path, tmp_path: Path, suffix: str) -> None:
    put(f"gs://data/in{suffix}", encoded(suffix))
    (tmp_path / "in.csv").write_bytes(CSV)
    score(folder, f"gs://data/in{suffix}", output=Address(f"gs://data/out{suffix}"), batch_rows=300)
    expected = score(folder, tmp_path / "in.csv", batch_rows=300, output=tmp_path / f"out{suffix}")
    assert expected == b""
    assert sources.read(f"gs://data/out{suffix}") == (tmp_path / f"out{suffix}").read_bytes()


def test_folders_and_patterns_are_several_files() -> None:
    for name in ("day-1.csv", "day-2.csv", "_SUCCESS", "deep/day-3.csv"):
        put(f"gs://data/days/{name}", b"a\n1\n")
    both = {"gs://data/days/day-1.csv": 4, "gs://data/days/day-2.csv": 4}
    assert (files("gs://data/days"), files("gs://data/days/day-?.csv")) == (both, both)


@pytest.mark.parametrize("address", ["gs://data/gone.csv", "gs://gone/in.csv"])
def test_what_is_not_there_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match=f"^--input: '{address}' is not there, "):
        files(address)


def test_an_upload_in_parts_is_an_object_in_the_end_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", HALF)
    put("gs://data/large.csv", *[b"a" * HALF] * 3)
    assert files("gs://data/large.csv") == {"gs://data/large.csv": 3 * HALF}

    def fail() -> None:
        with sinks.live(Address("gs://data/half.csv"), -1) as file:
            file.write(b"a" * HALF)
            file.write(b"a" * HALF)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(UsageError, match="is not there"):
        files("gs://data/half.csv")


def test_a_bucket_that_is_not_there_cannot_be_written() -> None:
    with pytest.raises(RunnerError, match=r"^--output: 'gs://gone/out.csv' cannot be written: "):
        put("gs://gone/out.csv", b"a")
