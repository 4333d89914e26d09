"""Why an artifact could not be opened, in a sentence that names file, versions and next step."""

from __future__ import annotations

import importlib.util
import pickle
import platform
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from custom_model_runner import border, plugins
from custom_model_runner.artifacts import kinds, making, pickles, versions
from custom_model_runner.artifacts.machine import BROKEN, Findings
from custom_model_runner.artifacts.stream import CUT, DAMAGED
from custom_model_runner.artifacts.values import Global, as_imported
from custom_model_runner.artifacts.versions import Version

SCRIPT = "__main__"


def explain(path: Path, folder: Path, error: BaseException) -> str:
    """Return why the artifact of a folder could not be opened; the folder's modules can still be imported."""
    other = _another_kind(path)
    if other is not None:
        return other
    found = pickles.look(path)
    made_with = found.versions if found else set()
    if isinstance(error, ModuleNotFoundError) and error.name:
        backend = plugins.missing_backend(_importer(error), error.name)
        return f"{path.name}: {backend}" if backend else _missing_module(path, folder, error.name, made_with)
    broken = _broken(path, found) if found else None
    if broken:
        return broken
    missing = _missing_name(found) if found and isinstance(error, AttributeError) else None
    if missing:
        return _missing(path, folder, missing, made_with)
    differing = versions.mismatches(made_with)
    if differing:
        return (
            f"{path.name} {versions.describe(differing)}, which cannot open it: {versions.remedy(differing)} "
            f"({border.describe(error)})"
        )
    return f"{path.name}: {border.describe(error)}"


def _another_kind(path: Path) -> str | None:
    """Say what a file is that is no artifact, or not the one that it is called."""
    reason = kinds.unreadable(path)
    kind = None if reason else kinds.of(path)
    return f"{path.name} is {kind.words}: {kind.step}" if kind else reason


def complete(path: Path, refusal: str) -> str:
    """Return what a framework says of a file, with the versions it may be about, or what the file is instead."""
    other = _another_kind(path)
    if other is not None:
        return other
    differing = versions.mismatches(making.made_with(path))
    return f"{refusal}; it {versions.describe(differing)}" if differing else refusal


def _importer(error: ModuleNotFoundError) -> str:
    """Return the top-level package that asked for the module that is missing."""
    places = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((place for place in reversed(places) if not place.startswith("importlib.")), "").partition(".")[0]


def _broken(path: Path, found: Findings) -> str | None:
    """Say what is wrong with the file itself."""
    if found.protocol > pickle.HIGHEST_PROTOCOL:
        return (
            f"{path.name} has pickle protocol {found.protocol}, and Python {platform.python_version()} reads up to "
            f"{pickle.HIGHEST_PROTOCOL}: use a newer Python, or save it with protocol={pickle.DEFAULT_PROTOCOL}"
        )
    if found.end == BROKEN and not found.roots and not _begins_as_pickle(path):
        kind = kinds.text_or_bytes(path)
        return f"{path.name} is {kind.words} and not a pickle: {kind.step}"
    if found.end in (CUT, DAMAGED):
        size = path.stat().st_size
        how = "ends before the pickle in it does" if found.end == CUT else "is damaged"
        return f"{path.name} {how} ({size} bytes): copy or save it again"
    return None


def _begins_as_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == pickle.PROTO


def _missing_module(path: Path, folder: Path, module: str, made_with: Iterable[Version]) -> str:
    top = module.partition(".")[0]
    needs = f"{path.name} needs the module {module!r}"
    if top != module and (top in sys.modules or importlib.util.find_spec(top)):
        return f"{needs}, {_not_in(folder, top, made_with)}"
    extra = plugins.extra_for(top)
    beside = _file_of(folder, top)
    if extra:
        hint = plugins.install_hint(top, extra)
    elif beside:
        hint = f"move {beside.relative_to(folder)} beside the artifact"
    else:
        # A name that is not known here may be the author's own module, and a stranger's on the index.
        hint = "install it, or put its file beside the artifact"
    return f"{path.name} needs the module {top!r}, which is not there: {hint}"


def _missing_name(found: Findings) -> Global | None:
    """Return the first name that its module, which was imported, does not have."""
    for each in found.globals:
        name = as_imported(each, found.protocol)
        place: object = sys.modules.get(name.module)
        for part in name.name.split(".") if place else ():
            if not hasattr(place, part):
                return name
            place = getattr(place, part)
    return None


def _missing(path: Path, folder: Path, name: Global, made_with: Iterable[Version]) -> str:
    needs = f"{path.name} needs {name.name!r} of the module {name.module!r}"
    if name.module == SCRIPT:
        return (
            f"{path.name} needs {name.name!r}, which was defined in the script or notebook that saved it: move it to a "
            "Python file beside the artifact, or to custom.py, import it from there where you train, and save it again"
        )
    return f"{needs}, {_not_in(folder, name.module.partition('.')[0], made_with)}"


def _not_in(folder: Path, top: str, made_with: Iterable[Version]) -> str:
    """Say in which version of what a name is missing."""
    beside = _file_of(folder, top)
    if beside:
        return f"which {beside.relative_to(folder)} does not have: put it back, or save the artifact again"
    here = versions.installed([top]).get(top)
    differing = versions.mismatches(made_with)
    if differing:
        made = f"; the artifact {versions.describe(differing)}: {versions.remedy(differing)}"
    else:
        made = ": the artifact was made with another version; install that one, or train it again"
    return f"which {here or 'what is installed'} does not have{made}"


def _file_of(folder: Path, top: str) -> Path | None:
    """Return the file or the folder of a module that stands somewhere in the code directory."""
    found = [*folder.rglob(f"{top}.py"), *folder.rglob(f"{top}/__init__.py")]
    return min(found, key=lambda file: len(file.parts), default=None)
