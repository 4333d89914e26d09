"""What a file is that is called an artifact and is none, told by how it begins."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.artifacts.stream import DECODING_ERRORS, Ended, compression_of, decoded

LOOK = 4096
ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Kind:
    """What a file is, and what to do about it."""

    words: str
    step: str


@dataclass(frozen=True)
class Beginning:
    """How files of a kind begin, and the suffixes by which they are known here."""

    starts: tuple[bytes, ...]
    kind: Kind
    suffixes: tuple[str, ...] = ()


def _model(*starts: bytes, of: str, suffix: str) -> Beginning:
    return Beginning(starts, Kind(f"a model of {of}", f"call it {suffix}"), (suffix,))


def _data(*starts: bytes, of: str) -> Beginning:
    return Beginning(starts, Kind(of, "put the fitted model into the folder"))


BEGINNINGS = (
    Beginning(
        (b"version https://git-lfs",),
        Kind("a Git LFS pointer and not the file itself", "fetch the file with git lfs pull"),
    ),
    _model(b"\x89HDF\r\n", of="Keras (HDF5)", suffix=".h5"),
    _model(b"CBM1", of="CatBoost", suffix=".cbm"),
    _model(b"tree\n", b"tree\r\n", of="LightGBM", suffix=".txt"),
    _model(b'{"learner"', b'{"version"', of="XGBoost (JSON)", suffix=".json"),
    _model(b"{L\0\0\0\0\0\0\0\x07learner", b"{i\x07learner", of="XGBoost (UBJSON)", suffix=".ubj"),
    _data(b"\x93NUMPY", of="an array of NumPy"),
    _data(b"PAR1", of="a Parquet table"),
    _data(b"ARROW1", of="an Arrow table"),
    _data(b"RDX", b"X\n\0\0", of="an object of R"),
    Beginning((b"\x28\xb5\x2f\xfd",), Kind("compressed by zstd", "unpack it")),
)
EMPTY = Kind("empty", "copy or save it again")
MARKUP = Kind("markup, such as a web page", "fetch the file itself and not the page around it")
JSON = Kind("JSON text", "save the fitted model with pickle or joblib")
TEXT = Kind("text", "save the fitted model with pickle or joblib")
BYTES = Kind("of no known kind", "save the fitted model with pickle or joblib")
TAR = Kind("a tar archive", "unpack it, and put the model into the folder")
# These two are opened by what is in them.
TORCH = (".pth", ".pt2")
# What an archive holds that a framework wrote, and what the framework calls such files; the first that fits counts.
ARCHIVES = (
    ("constants.pkl", Kind("an archive of PyTorch (TorchScript)", "call it .pth"), TORCH),
    ("archive_format", Kind("an exported program of PyTorch", "call it .pt2"), TORCH),
    ("data.pkl", Kind("an archive of PyTorch", "call it .pth"), TORCH),
    ("schema.json", Kind("a model of skops", "call it .skops"), (".skops",)),
    ("model.weights.h5", Kind("a model of Keras", "call it .keras"), (".keras",)),
)
ARCHIVE = Kind("a zip archive", "unpack it, and put the model into the folder")


def unreadable(path: Path) -> str | None:
    """Return why a file cannot be read at all; None where it can."""
    try:
        path.open("rb").close()
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    return None


def of(path: Path) -> Kind | None:
    """Return what a readable file is that its suffix does not tell; None where it may well be what it is called."""
    with path.open("rb") as file:
        start = file.read(LOOK)
    if start.startswith(ZIP):
        return _of_archive(path)
    found = _of_start(start, path.suffix.lower())
    compression = compression_of(start)
    if found is not None or compression is None:
        return found
    inner = _of_start(_decoded_start(path), "")
    return inner and Kind(f"{inner.words}, compressed by {compression}", f"unpack it; {inner.step}")


def text_or_bytes(path: Path) -> Kind:
    """Return what a file is of which only this much can be told."""
    with path.open("rb") as file:
        start = file.read(LOOK)
    try:
        # The last character may be cut.
        text = start.decode("utf-8") if len(start) < LOOK else start[: start.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return BYTES
    is_text = bool(text) and all(sign.isprintable() or sign in "\t\r\n" for sign in text)
    return (JSON if text.lstrip().startswith(("{", "[")) else TEXT) if is_text else BYTES


def _of_start(start: bytes, suffix: str) -> Kind | None:
    if not start:
        return EMPTY
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return MARKUP
    if start[257:262] == b"ustar":
        return TAR
    return next((one.kind for one in BEGINNINGS if start.startswith(one.starts) and suffix not in one.suffixes), None)


def _decoded_start(path: Path) -> bytes:
    with path.open("rb") as file:
        try:
            with decoded(file) as plain:
                return plain.read(LOOK)
        except (Ended, *DECODING_ERRORS):
            # What it holds cannot be told, so it may be a pickle.
            return pickle.PROTO


def _of_archive(path: Path) -> Kind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {part for name in archive.namelist() for part in name.split("/", 2)[:2]}
    except zipfile.BadZipFile:
        return Kind("a zip archive that is cut or damaged", "copy or save it again")
    for member, kind, suffixes in ARCHIVES:
        if member in names:
            return None if path.suffix.lower() in suffixes else kind
    return ARCHIVE
