"""An artifact, looked at and not opened: what it is, what it would import, and from where."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from custom_model_runner import plugins
from custom_model_runner.artifacts import kinds, making, pickles, versions
from custom_model_runner.artifacts.machine import BROKEN, Findings
from custom_model_runner.artifacts.stream import CUT, DAMAGED
from custom_model_runner.artifacts.values import UNKNOWN, Global, Made, Plain, as_imported
from custom_model_runner.checks.places import FOLDER, NOT_INSTALLED, Places
from custom_model_runner.checks.report import Report

PAIR = 2
# What opening a file does, by the facts of its loader.
OPENING = {
    (True, False): "runs the code that is in it",
    (True, True): "runs code, if any is in it",
    (False, False): "runs no code that is in it",
}
# Classes of data, found instead of models.
DATA = frozenset({"numpy.ndarray", "pandas.DataFrame", "pandas.core.frame.DataFrame"})


def examine(path: Path, report: Report, *, places: Places, is_scored: bool) -> None:
    """Report what an artifact is; what would keep it from being opened, or scored where it is, is a problem."""
    line = plugins.LOADERS.get(path.suffix.lower())
    reason = kinds.unreadable(path)
    if reason is not None:
        report.problem(reason)
        return
    report.fact("artifact", f"{path.name}, {path.stat().st_size} bytes")
    kind = kinds.of(path)
    if kind is not None:
        report.problem(f"{path.name} is {kind.words}: {kind.step}")
    if line is None or kind is not None:
        return
    report.fact("opening", OPENING[line.runs_code, line.can_do_without], depth=1)
    _examine_extra(path, report, line.extra, places)
    found = pickles.look(path)
    model = found.roots[0] if found and found.roots and not line.can_do_without else UNKNOWN
    framework = _framework_of(line.module) or framework_of(model)
    if model is not UNKNOWN:
        report.fact("holds", describe(model), depth=1)
    report.fact("framework", framework or "unknown", depth=1)
    numbers = sorted(map(str, making.made_with(path) if found is None else found.versions))
    if numbers:
        report.fact("made with", ", ".join(numbers), depth=1)
    if found is not None:
        _examine_pickle(path, report, found, places)
    if is_scored and model is not UNKNOWN:
        _examine_model(path.name, model, framework, report)


def _examine_model(name: str, model: Any, framework: str | None, report: Report) -> None:
    """Report what is certainly no model, or perhaps none: the bases of a class are not known."""
    if not isinstance(model, Made) or str(model.maker) in DATA:
        report.problem(f"{name} holds {describe(model)}, expected a fitted model, or a score hook that uses it")
    elif framework is None:
        report.note(
            f"{name} holds {describe(model)}, of no known framework: unless it is derived from one, "
            "the folder needs a score hook"
        )


def describe(value: Any) -> str:
    """Say what a pickle holds."""
    if isinstance(value, Made):
        last = _last_step(value)
        ends = f" that ends in {last.maker}" if last is not value else ""
        return f"{value.maker}{ends}"
    if isinstance(value, Global):
        return f"the class or function {value} itself"
    return f"a {value.kind if isinstance(value, Plain) else type(value).__name__}"


def framework_of(value: Any) -> str | None:
    """Return the framework of an object by the package of its class alone; bases of a class are not known."""
    for part in (_last_step(value), value):
        top = part.maker.module.partition(".")[0] if isinstance(part, Made) else ""
        for name, line in plugins.FRAMEWORKS.items():
            if top in line.packages:
                return name
    return None


def _last_step(value: Any) -> Any:
    steps = value.state.get("steps") if isinstance(value, Made) and isinstance(value.state, dict) else None
    last = steps[-1] if isinstance(steps, list) and steps else None
    is_step = isinstance(last, tuple) and len(last) == PAIR and isinstance(last[1], Made)
    return last[1] if last and is_step else value


def _framework_of(module: str) -> str | None:
    return next((name for name, line in plugins.FRAMEWORKS.items() if line.module == module), None)


def _examine_extra(path: Path, report: Report, extra: str | None, places: Places) -> None:
    """Report the package that opens the file where it is not installed."""
    if extra is None:
        return
    # A loader that is no framework is called after its package.
    packages = [line.packages[0] for line in plugins.FRAMEWORKS.values() if line.extra == extra] or [extra]
    place = places.find(packages[0])
    if place.problem:
        cause = f"the package {packages[0]!r} is not installed: {plugins.install_hint(packages[0], extra)}"
        report.problem(f"{path.name}: {cause}", cause=cause)


def _examine_pickle(path: Path, report: Report, found: Findings, places: Places) -> None:
    if found.protocol > pickle.HIGHEST_PROTOCOL or found.end in (CUT, DAMAGED, BROKEN):
        report.problem(f"{path.name} cannot be read to its end: {found.end}")
    differing = versions.mismatches(found.versions)
    if differing:
        report.note(f"{path.name} {versions.describe(differing)}: {versions.remedy(differing)}")
    by_place: dict[str, list[str]] = {}
    for each in found.globals:
        name = as_imported(each, found.protocol)
        place = places.find(name.module)
        by_place.setdefault(place.words, []).append(str(name))
        problem = place.problem or (_gone(name, places) if place.words == FOLDER else None)
        if problem:
            cause = problem if place.words == NOT_INSTALLED else None
            report.problem(f"{path.name} needs {name}: {problem}", cause=cause)
    for words, names in by_place.items():
        report.fact("imports", f"{words}: {', '.join(names)}", depth=1)
    for unknown in found.unknown:
        report.fact("unknown", unknown, depth=1)


def _gone(name: Global, places: Places) -> str | None:
    """Say that a module of the folder does not have a name."""
    try:
        found = places.names_of(name.module)
    except (SyntaxError, ValueError):
        return "its module is not Python"
    if found is None:
        return None
    file, names = found
    return None if names is None or name.name.partition(".")[0] in names else f"{file.name} does not have it"
