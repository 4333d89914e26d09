"""What a file is that is no artifact, or not the one that it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from custom_model_runner.artifacts import kinds

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 99\n"
PAGE = b"\xef\xbb\xbf\n <!DOCTYPE html><html>Not found</html>"


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pkl"))
    return file.getvalue()


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.onnx", "model.PTH", "model.h5"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (POINTER, "a Git LFS pointer and not the file itself"),
        (PAGE, "markup, such as a web page"),
        (tar(), "a tar archive"),
        (zipped("notes.txt"), "a zip archive"),
        (zipped("notes.txt")[:60], "a zip archive that is cut or damaged"),
        (b"PAR1xx", "a Parquet table"),
        (b"ARROW1\0\0", "an Arrow table"),
        (b"\x93NUMPY\x01", "an array of NumPy"),
        (b"RDX3\n", "an object of R"),
        (b"\x28\xb5\x2f\xfdxx", "compressed by zstd"),
        (gzip.compress(b""), "empty, compressed by gzip"),
        (gzip.compress(tar()), "a tar archive, compressed by gzip"),
        (bz2.compress(PAGE), "markup, such as a web page, compressed by bzip2"),
        (lzma.compress(POINTER), "a Git LFS pointer and not the file itself, compressed by xz"),
        (zlib.compress(tar()), "a tar archive, compressed by zlib"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_another_kind_is_told_whatever_it_is_called(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    kind = kinds.of(write(tmp_path, name, data))
    assert kind is not None
    assert kind.words == words


@pytest.mark.parametrize(
    ("data", "suffix", "words"),
    [
        (b"\x89HDF\r\n\x1a\n", ".h5", "a model of Keras (HDF5)"),
        (b"CBM1\0\0", ".cbm", "a model of CatBoost"),
        (b"tree\nversion=v4\n", ".txt", "a model of LightGBM"),
        (b'{"learner":{}}', ".json", "a model of XGBoost (JSON)"),
        (b"{L\0\0\0\0\0\0\0\x07learner{", ".ubj", "a model of XGBoost (UBJSON)"),
        (zipped("m/data.pkl", "m/data/0"), ".pth", "an archive of PyTorch"),
        (zipped("m/data.pkl", "m/constants.pkl"), ".pth", "an archive of PyTorch (TorchScript)"),
        (zipped("m/archive_format", "m/data/x.pt"), ".pt2", "an exported program of PyTorch"),
        (zipped("config.json", "model.weights.h5"), ".keras", "a model of Keras"),
        (zipped("schema.json"), ".skops", "a model of skops"),
    ],
)
def test_a_model_under_another_suffix_is_told_with_its_own(
    tmp_path: Path, data: bytes, suffix: str, words: str
) -> None:
    assert kinds.of(write(tmp_path, "model.pkl", data)) == kinds.Kind(words, f"call it {suffix}")
    assert kinds.of(write(tmp_path, f"model{suffix}", data)) is None


@pytest.mark.parametrize(
    "data",
    [*(pickle.dumps([1], protocol) for protocol in range(6)), gzip.compress(pickle.dumps(1)), zlib.compress(b"\x80")],
)
def test_a_pickle_may_be_what_it_is_called(tmp_path: Path, data: bytes) -> None:
    assert kinds.of(write(tmp_path, "model.pkl", data)) is None


def test_a_compressed_file_that_is_cut_may_be_a_pickle(tmp_path: Path) -> None:
    assert kinds.of(write(tmp_path, "model.pkl", gzip.compress(b"<html>")[:12])) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, world\n", "text"),
        ("grüße ".encode() * 2000 + b"\n", "of no known kind"),
        (("ü" * 50 + "\n").encode() * 500, "text"),
        (b'  {"a": 1}', "JSON text"),
        (b"[1, 2]", "JSON text"),
        (b"\x00\x01\x02", "of no known kind"),
        (b"text\x00", "of no known kind"),
        (b"\xff\xfe", "of no known kind"),
    ],
)
def test_text_is_told_from_other_bytes(tmp_path: Path, data: bytes, words: str) -> None:
    assert kinds.text_or_bytes(write(tmp_path, "model.pkl", data)).words == words
