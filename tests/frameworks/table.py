"""What must be tried: every framework and every suffix of the tables, by the makers that are there."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import plugins
from custom_model_runner.plugins import Plugin

MAKERS = Path(__file__).with_name("makers")
TARGETS = ("regression", "binary", "multiclass", "anomaly")

# Frameworks whose results may depend on the number of rows in a call, in the last bits of a float32.
INEXACT = frozenset({"torch", "keras", "onnx"})
# Whatever else a framework needs in its environment, here and in the makers.
VARIABLES: Mapping[str, Mapping[str, str]] = {"keras": {"KERAS_BACKEND": "torch"}}


@dataclass(frozen=True)
class Case:
    """One artifact that a maker makes."""

    framework: str
    suffix: str
    target: str

    def __str__(self) -> str:
        return f"{self.framework}{self.suffix}-{self.target}"


def file_of(line: Plugin) -> str:
    """Return what the files of a framework are called, in the package and here."""
    return line.module.rpartition(".")[2]


def cases_of(framework: str, makers: Path = MAKERS) -> list[Case]:
    """Return what the maker of a framework can make, read from its constant CASES; without a maker, nothing."""
    path = makers / f"{file_of(plugins.FRAMEWORKS[framework])}.py"
    if not path.is_file():
        return []
    named = {
        target.id: node.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value
    }
    by_suffix = ast.literal_eval(named["CASES"])
    return [Case(framework, suffix, target) for suffix, targets in by_suffix.items() for target in targets]


def complaints(makers: Path = MAKERS) -> list[str]:
    """Name every line of the tables that no maker tries, and every maker and case of no line."""
    made = {framework: cases_of(framework, makers) for framework in plugins.FRAMEWORKS}
    found = [f"{framework}: has no maker, or one without cases" for framework, cases in made.items() if not cases]
    found += [
        f"{framework}: no case has the target binary"
        for framework, cases in made.items()
        if cases and "binary" not in {case.target for case in cases}
    ]
    owners = {line.module: framework for framework, line in plugins.FRAMEWORKS.items()}
    for suffix, line in plugins.LOADERS.items():
        # A pickle holds models of any framework.
        responsible = [owners[line.module]] if line.module in owners else list(made)
        if not any(case.suffix == suffix for framework in responsible for case in made[framework]):
            found.append(f"{suffix}: no case of {' or '.join(responsible)}")
    for cases in made.values():
        found += [f"{case}: is a case of no loader" for case in cases if case.suffix not in plugins.LOADERS]
        found += [f"{case}: its target is none of {', '.join(TARGETS)}" for case in cases if case.target not in TARGETS]
    known = {file_of(line) for line in plugins.FRAMEWORKS.values()} | {"__init__"}
    return found + [f"{path.name}: makes for no framework" for path in makers.glob("*.py") if path.stem not in known]
