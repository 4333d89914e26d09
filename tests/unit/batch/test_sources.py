"""Where a batch comes from."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from custom_model_runner.batch import sources
from custom_model_runner.data import compression
from custom_model_runner.errors import InputError, MalformedRequest, PayloadTooLarge

from ..folders import plant

LIMIT = 1000


def test_a_file_is_read(tmp_path: Path) -> None:
    assert sources.read(str(plant(tmp_path, {"data.csv": b"a\r\n\xff"}) / "data.csv")) == b"a\r\n\xff"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\r\n\xff")))
    assert sources.read("-") == b"a\r\n\xff"


def test_a_file_that_cannot_be_read_is_an_input_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv' cannot be read: No such file"):
        sources.read(str(tmp_path / "gone.csv"))


@pytest.mark.parametrize(("suffix", "encoding"), [("gz", "gzip"), ("zst", "zstd"), ("GZ", "gzip")])
def test_a_compressed_file_is_decoded_and_loses_its_suffix(tmp_path: Path, suffix: str, encoding: str) -> None:
    name = f"data.csv.{suffix}"
    plant(tmp_path, {name: compression.encoded(b"a\n1\n", encoding)})
    assert sources.read_decoded(str(tmp_path / name), LIMIT) == (b"a\n1\n", str(tmp_path / "data.csv"))


def test_a_file_of_another_suffix_and_standard_input_are_left_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gzip.compress(b"a\n1\n")
    name = str(plant(tmp_path, {"data.csv": data}) / "data.csv")
    assert sources.read_decoded(name, 1) == (data, name)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert sources.read_decoded("-", 1) == (data, "-")


def test_a_compressed_file_over_the_limit_is_an_input_error(tmp_path: Path) -> None:
    name = str(plant(tmp_path, {"data.csv.gz": gzip.compress(bytes(1000))}) / "data.csv.gz")
    assert len(sources.read_decoded(name, 1000)[0]) == 1000
    with pytest.raises(PayloadTooLarge, match="more than the limit of 999 bytes"):
        sources.read_decoded(name, 999)


def test_a_compressed_file_that_is_broken_or_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    plant(tmp_path, {"data.csv.gz": b"a\n1\n"})
    with pytest.raises(MalformedRequest, match="The gzip data is broken"):
        sources.read_decoded(str(tmp_path / "data.csv.gz"), LIMIT)
    with pytest.raises(InputError, match=r"gone\.csv\.zst' cannot be read: No such file"):
        sources.read_decoded(str(tmp_path / "gone.csv.zst"), LIMIT)
