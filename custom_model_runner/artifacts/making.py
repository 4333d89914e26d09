"""With which versions of libraries an artifact was made, as far as the file tells."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from custom_model_runner.artifacts import pickles, versions
from custom_model_runner.artifacts.stream import TAIL
from custom_model_runner.artifacts.versions import Version

LONGEST_METADATA = 1 << 16


def made_with(path: Path) -> frozenset[Version]:
    """Return the versions that stand in a pickle, in a native model of XGBoost, or in an archive of Keras."""
    suffix = path.suffix.lower()
    if suffix in (".json", ".ubj"):
        return _only(versions.of_xgboost(_tail(path)))
    if suffix == ".keras":
        return _only(versions.of_keras(_metadata(path)))
    found = pickles.look(path)
    return frozenset(found.versions) if found else frozenset()


def _only(version: Version | None) -> frozenset[Version]:
    return frozenset({version} if version else ())


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL), io.SEEK_SET)
        return file.read()


def _metadata(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("metadata.json") as member:
            return member.read(LONGEST_METADATA)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError):
        return b""
