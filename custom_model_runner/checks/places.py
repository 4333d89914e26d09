"""Where a module would come from if it were imported: told without importing it."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import alias, plugins
from custom_model_runner.artifacts import versions
from custom_model_runner.artifacts.versions import Distributions

PYTHON = "Python"
FOLDER = "this folder"
NOT_INSTALLED = "not installed"
SCRIPT = "__main__"
# Packages whose modules are made when they are imported, and are no files.
WITHOUT_FILES = frozenset({"six", "tensorflow"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Place:
    """Where a module is, in words, and what is wrong with that."""

    words: str
    problem: str | None = None


@dataclass(frozen=True)
class Places:
    """Where modules are looked for: in folders, in their order, and then among what is installed."""

    folders: tuple[Path, ...]
    distributions: Distributions

    def find(self, module: str) -> Place:
        """Return the place of a module."""
        top = module.partition(".")[0]
        if top == SCRIPT:
            return Place(
                "a script", "was defined in a script or notebook; move it to a Python file beside the artifact"
            )
        for folder in self.folders:
            if (folder / f"{top}.py").is_file() or any((folder / top).glob("*.py")):
                is_there = file_in(module, folder) is not None
                return Place(FOLDER, None if is_there else f"{module} is no module of the folder")
        if top in sys.stdlib_module_names or top == alias.NAME:
            return Place(PYTHON)
        return self._installed(module, top)

    def _installed(self, module: str, top: str) -> Place:
        loaded = sys.modules.get(top)
        spec = loaded.__spec__ if loaded else importlib.util.find_spec(top)
        if spec is None:
            extra = plugins.extra_for(top)
            hint = f": {plugins.install_hint(top, extra)}" if extra else ""
            return Place(NOT_INSTALLED, f"the package {top!r} is not installed{hint}")
        here = str(versions.installed([top], self.distributions).get(top) or top)
        if top in WITHOUT_FILES or _has(module, spec.submodule_search_locations):
            return Place(here)
        return Place(here, f"{here} has no module {module!r}: another version is needed")

    def names_of(self, module: str) -> tuple[Path, frozenset[str] | None] | None:
        """Return the file of a module of the folders and the names in it, None if unknown; no file, nothing."""
        file = next((file for folder in self.folders if (file := file_in(module, folder))), None)
        return None if file is None else (file, names_in(ast.parse(file.read_bytes())))


def file_in(module: str, folder: Path) -> Path | None:
    """Return the file of a module that stands in a folder."""
    base = folder.joinpath(*module.split("."))
    files = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _has(module: str, locations: Sequence[str] | None) -> bool:
    """Say whether a module below a package is a file or a folder there."""
    folders = [Path(location) for location in locations or ()]
    for part in module.split(".")[1:]:
        names = [f"{part}{suffix}" for suffix in importlib.machinery.all_suffixes()]
        if any((folder / name).is_file() for folder in folders for name in names):
            folders = []
            continue
        folders = [folder / part for folder in folders if (folder / part).is_dir()]
        if not folders:
            return False
    return True


def names_in(tree: ast.Module) -> frozenset[str] | None:
    """Return the names that a module has at its top; None where that cannot be told."""
    names: set[str] = set()
    for node in top_level(tree.body):
        if isinstance(node, DEFINITIONS):
            names.add("..." if node.name == "__getattr__" else node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {each.asname or each.name.partition(".")[0] for each in node.names}
        else:
            names |= {each.id for target in _targets(node) for each in ast.walk(target) if isinstance(each, ast.Name)}
    return None if names & {"*", "..."} else frozenset(names)


def _targets(node: ast.stmt) -> list[ast.expr]:
    """Return what a statement gives values to."""
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [item.optional_vars for item in node.items if item.optional_vars]
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)) else []


def top_level(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a module, those in its conditions, loops and handlers included."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if not isinstance(node, DEFINITIONS):
            for part in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                for block in ("body", "orelse", "finalbody"):
                    found += top_level(getattr(part, block, ()))
    return found
