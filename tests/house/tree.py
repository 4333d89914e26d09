"""Read a package as text: the modules that the guards look at, real or planted."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "custom_model_runner"
PACKAGE = REPOSITORY / NAME


@dataclass(frozen=True)
class Module:
    """One module: its path inside the package, with slashes, and what is written in it."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @property
    def unit(self) -> str:
        """The folder or single file at the top of the package that the module belongs to."""
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def package(self) -> list[str]:
        """The dotted name that a relative import of one dot starts from, in parts."""
        return [NAME, *self.path.split("/")[:-1]]


@dataclass(frozen=True)
class Import:
    """One imported name: `from a.b import c` is `a.b.c`, since c may be a module."""

    line: int
    name: str

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


def modules(package: Path) -> list[Module]:
    """Read every module of a package."""
    paths = (path.relative_to(package) for path in sorted(package.rglob("*.py")))
    return [Module(path.as_posix(), (package / path).read_text(encoding="utf-8")) for path in paths]


def imports(module: Module, nodes: Iterator[ast.AST] | None = None) -> list[Import]:
    """Return what a module imports, absolute and relative alike, wherever the import stands."""
    found: list[Import] = []
    for node in ast.walk(module.tree) if nodes is None else nodes:
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = module.package[: len(module.package) - node.level + 1] if node.level else []
            origin = [*start, *([node.module] if node.module else [])]
            found += [Import(node.lineno, ".".join([*origin, alias.name])) for alias in node.names]
    return found


def dotted(node: ast.AST) -> str:
    """Return the text of a name such as `os.environ`, or nothing for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := dotted(node.value)):
        return f"{start}.{node.attr}"
    return ""


def plant(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a small package into a folder and return its path."""
    package = folder / NAME
    for path, text in files.items():
        target = package / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return package


def copy_of_the_real_tree(folder: Path) -> Path:
    """Copy the real package into a folder, to plant one fault in it."""
    return shutil.copytree(PACKAGE, folder / NAME, ignore=shutil.ignore_patterns("__pycache__"))


def expect_none(complaints: Sequence[str]) -> None:
    """Fail with the complaints themselves, one a line."""
    assert not complaints, "\n" + "\n".join(complaints)
