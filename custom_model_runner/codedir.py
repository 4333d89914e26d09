"""A code directory, understood without running it: user file, artifacts, metadata, language and interface."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import metadata, plugins
from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import Metadata

LOG = logging.getLogger("drum.codedir")
FILES_SHOWN = 100
# The file with which a folder extends the server, and the function in it that does so.
EXTENSION, EXTENDS = "custom_flask.py", "init_app"
LIBRARY_FOLDERS = ("site-packages", "dist-packages", "__pycache__")


@dataclass(frozen=True)
class CodeDir:
    """What stands in the folder; artifacts are those at the top level that the language could load.

    `refuses_code` is what the operator asks for: no artifact is opened that may run code by that.
    """

    path: Path
    language: str
    interface: str
    user_file: Path | None
    artifacts: tuple[Path, ...]
    metadata: Metadata
    refuses_code: bool = False


def open_folder(path: Path, language: str | None = None, *, refuses_code: bool = False) -> CodeDir:
    """Return what stands in the folder; a folder whose language cannot be told is a load error."""
    files = files_below(path)
    language = language or detect_language(path, files)
    line = plugins.choose(plugins.LANGUAGES, language, what="language")
    user_file = find_user_file(path, files, line)
    return CodeDir(
        path=path,
        language=language,
        interface="hooks" if user_file else "artifact",
        user_file=user_file,
        artifacts=find_artifacts(path, files, line),
        metadata=metadata.read(path) or Metadata(),
        refuses_code=refuses_code,
    )


def files_below(folder: Path) -> list[Path]:
    """Return every file below the folder that is not hidden, nor in a hidden folder, nor part of an environment."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in LIBRARY_FOLDERS]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def is_own(file: Path) -> bool:
    """Say whether a file is an author's and not part of an environment, which may stand in the folder."""
    return not set(LIBRARY_FOLDERS) & set(file.parts)


def find_artifacts(path: Path, files: list[Path], line: plugins.Language) -> tuple[Path, ...]:
    """Return the artifacts of a language at the top level."""
    return tuple(file for file in files if file.parent == path and _is_artifact(file, line))


def _is_artifact(file: Path, line: plugins.Language) -> bool:
    suffix = file.suffix.lower()
    if suffix not in line.artifacts:
        return False
    loader = plugins.LOADERS.get(suffix)
    if loader is None or not loader.begins:
        return True
    with file.open("rb") as opened:
        return opened.read(max(map(len, loader.begins))).startswith(loader.begins)


def detect_language(path: Path, files: list[Path]) -> str:
    """Return the language that the user file or the artifacts tell; none, or two, is a load error."""
    top_names = {file.name for file in files if file.parent == path}
    by_artifact = {name for name, line in plugins.LANGUAGES.items() if any(_is_artifact(file, line) for file in files)}
    by_user_file = {name for name, line in plugins.LANGUAGES.items() if top_names & set(line.user_files)}
    _warn_about_case(top_names)
    artifact = by_artifact.pop() if len(by_artifact) == 1 else None
    custom = by_user_file.pop() if len(by_user_file) == 1 else None
    if (artifact and custom and artifact != custom) or not (artifact or custom):
        raise LoadError(_undetected(path, files, artifact, custom))
    return custom or artifact or ""


def _warn_about_case(names: set[str]) -> None:
    wanted = {name for line in plugins.LANGUAGES.values() for name in line.user_files}
    for name in sorted(names - wanted):
        if name.lower() in {known.lower() for known in wanted}:
            LOG.warning("%s is not used: the name must be written as one of %s", name, sorted(wanted))
    if {"custom.R", "custom.r"} <= names:
        LOG.warning("both custom.R and custom.r are there; custom.R is used")


def _undetected(path: Path, files: list[Path], artifact: str | None, custom: str | None) -> str:
    supported = sorted(suffix for line in plugins.LANGUAGES.values() for suffix in line.artifacts)
    shown = [str(file.relative_to(path)) for file in files[:FILES_SHOWN]]
    return (
        f"Can not detect language by artifacts and/or custom.py/R files in {path}: "
        f"language by artifacts: {artifact}, by custom file: {custom}; "
        f"supported artifacts: {', '.join(supported)}; files found: {', '.join(shown) or 'none'}"
    )


def find_user_file(path: Path, files: list[Path], line: plugins.Language) -> Path | None:
    """Return the file with the user's code, at any depth, if there is one; several are a load error."""
    for name in line.user_files:
        if found := _only(path, [file for file in files if file.name == name], "custom hook files"):
            return found
    return None


def _only(path: Path, found: list[Path], what: str) -> Path | None:
    """Return the one file that was found, or None; several are a load error that names them."""
    if len(found) > 1:
        places = ", ".join(str(file.relative_to(path)) for file in found)
        raise LoadError(f"Found too many {what}, expected one {found[0].name}: {places}")
    return found[0] if found else None


def find_extension(path: Path) -> Path | None:
    """Return the file with which the folder extends the server, at any depth, or None; several are a load error."""
    return _only(path, [file for file in files_below(path) if file.name == EXTENSION], "Flask extensions")
