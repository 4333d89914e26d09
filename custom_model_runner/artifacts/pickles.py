"""What the pickles in an artifact would import when it is opened."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from custom_model_runner.artifacts import opcodes
from custom_model_runner.artifacts.kinds import ZIP
from custom_model_runner.artifacts.machine import Findings
from custom_model_runner.artifacts.stream import Ended, Stream, decoded

MOST_BYTES = 1 << 30
# What torch.save wrote before it wrote archives: the model is the fourth of five pickles.
OLD_TORCH = 5
# Archives of TorchScript have this member; their pickles are not Python's.
TORCHSCRIPT = "constants.pkl"


def look(path: Path) -> Findings | None:
    """Return what opening an artifact would import; None where no pickle for Python is in it."""
    suffix = path.suffix.lower()
    if suffix in (".pkl", ".joblib"):
        return _look_at_pickle(path, has_arrays=True)
    if suffix not in (".pth", ".pt2"):
        return None
    return _look_at_archive(path) if _begins_as_archive(path) else _look_at_pickle(path, pickles=OLD_TORCH)


def _begins_as_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ZIP)) == ZIP


def _look_at_pickle(path: Path, *, has_arrays: bool = False, pickles: int = 1) -> Findings:
    found = Findings()
    try:
        with path.open("rb") as file, decoded(file) as plain:
            size = path.stat().st_size if plain is file else None
            opcodes.read(Stream(plain, most=MOST_BYTES, size=size), found, has_arrays=has_arrays, pickles=pickles)
    except Ended as reason:
        found.give_up(f"whatever it holds: {reason}", reason)
    return found


def _look_at_archive(path: Path) -> Findings | None:
    found = Findings()
    count = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _pickles(archive):
                count += 1
                opcodes.read(Stream(member, most=MOST_BYTES), found, has_arrays=False)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        found.give_up("whatever else the archive holds: it is damaged", error)
    return found if count or found.end else None


def _pickles(archive: zipfile.ZipFile) -> Iterator[IO[bytes]]:
    """Yield the pickles of an archive of torch, and of the archives that stand in it."""
    names = [info.filename.partition("/")[2] for info in archive.infolist()]
    if TORCHSCRIPT in names:
        return
    for info in archive.infolist():
        with archive.open(info) as member:
            if info.filename.endswith("/data.pkl"):
                yield member
            elif member.read(len(ZIP)) == ZIP:
                member.seek(0)
                with zipfile.ZipFile(member) as inner:
                    yield from _pickles(inner)
