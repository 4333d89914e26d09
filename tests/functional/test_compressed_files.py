"""`drum score` between compressed files."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pyarrow
import pytest

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


HALVES = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": data["a"] / 2})
"""
TABLE = b"a\n1\n4\n"
REGRESSION = ("--target-type", "regression")


def zstd(data: bytes) -> bytes:
    return bytes(pyarrow.compress(data, "zstd", asbytes=True))


def unzstd(data: bytes) -> bytes:
    return bytes(pyarrow.CompressedInputStream(pyarrow.py_buffer(data), "zstd").read())


@pytest.mark.parametrize(
    ("given", "data", "wanted", "decompress"),
    [("gz", gzip.compress(TABLE), "zst", unzstd), ("zst", zstd(TABLE), "gz", gzip.decompress)],
)
def test_suffixes_tell_how_files_are_compressed(
    drum: Drum, plant: Plant, *, given: str, data: bytes, wanted: str, decompress: Callable[[bytes], bytes]
) -> None:
    folder = plant("code", {"custom.py": HALVES})
    files = plant("files", {f"in.csv.{given}": data})
    output = files / f"out.csv.{wanted}"
    done = drum("score", "-cd", folder, "--input", files / f"in.csv.{given}", "--output", output, *REGRESSION)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert decompress(output.read_bytes()) == b"Predictions\n0.5\n2.0\n"


def test_more_than_the_limit_is_one_line_and_no_output(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": HALVES})
    files = plant("files", {"in.csv.gz": gzip.compress(b"a\n" + b"1\n" * 10_000)})
    words = ("--input", files / "in.csv.gz", "--output", files / "out.csv", "--max-decoded-bytes", "20000")
    done = drum("score", "-cd", folder, *words, *REGRESSION)
    assert (done.returncode, done.stderr.decode()) == (
        6,
        "drum: error: in.csv.gz: The gzip data decodes to more than the limit of 20000 bytes (--max-decoded-bytes)\n",
    )
    assert [path.name for path in files.iterdir()] == ["in.csv.gz"]
