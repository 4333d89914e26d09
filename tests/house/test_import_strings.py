"""The import strings of the tables: each leads to a file and a name that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .tree import NAME, PACKAGE, Module, expect_none, modules, plant

TABLES = ("cli.py", "plugins.py")
IMPORT_STRING = re.compile(rf"{NAME}((?:\.\w+)+)(?::(\w+))?")


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the strings that are given a name at the top of a module."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def text_of(node: ast.AST, named: dict[str, str]) -> str | None:
    """Return what a string literal says, with named constants put in; anything else says nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        return named.get(node.value.id)
    if isinstance(node, ast.JoinedStr):
        parts = [text_of(part, named) for part in node.values]
        return "".join(part or "" for part in parts) if None not in parts else None
    return None


def names(tree: ast.Module) -> set[str]:
    """Return the names that a module has at its top: what it defines, assigns and imports."""
    found = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def import_strings(table: Module) -> list[tuple[int, str]]:
    """Return the import strings of a table with their lines."""
    named = constants(table.tree)
    texts = [(getattr(node, "lineno", 0), text_of(node, named)) for node in ast.walk(table.tree)]
    return sorted({(line, text) for line, text in texts if text and IMPORT_STRING.fullmatch(text)})


def string_complaints(package: Path) -> list[str]:
    """Name every import string that leads nowhere, and every table without a single one."""
    by_path = {module.path: module for module in modules(package)}
    complaints = []
    for table in TABLES:
        found = import_strings(by_path[table])
        if not found:
            complaints.append(f"{table}: no import string was found in it")
        for line, text in found:
            match = IMPORT_STRING.fullmatch(text)
            assert match
            path = match[1].lstrip(".").replace(".", "/")
            module = by_path.get(f"{path}.py") or by_path.get(f"{path}/__init__.py")
            if module is None:
                complaints.append(f"{table}:{line}: {text} leads to no module")
            elif match[2] and match[2] not in names(module.tree):
                complaints.append(f"{table}:{line}: {module.path} has no {match[2]}")
    return complaints


def test_every_import_string_of_the_real_tables_leads_somewhere() -> None:
    expect_none(string_complaints(PACKAGE))


PLUGINS = 'PACKAGE = "custom_model_runner"\nFORMATS = {"csv": Plugin(f"{PACKAGE}.data.tables")}\n'
CLI = 'COMMANDS = {"score": "custom_model_runner.commands.score:run"}\n'
TREE = {
    "plugins.py": PLUGINS,
    "cli.py": CLI,
    "data/tables.py": "",
    "commands/score.py": "def run() -> None: ...",
}


def test_strings_that_lead_to_a_module_and_its_function_are_fine(tmp_path: Path) -> None:
    assert string_complaints(plant(tmp_path, TREE)) == []


@pytest.mark.parametrize("line", ["run = 1", "run: int = 1", "from .other import run", "class run: ..."])
def test_a_name_may_be_there_in_every_way(tmp_path: Path, line: str) -> None:
    assert string_complaints(plant(tmp_path, {**TREE, "commands/score.py": line})) == []


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        (
            {"plugins.py": PLUGINS.replace("tables", "tabels")},
            "plugins.py:2: custom_model_runner.data.tabels leads to no module",
        ),
        (
            {"cli.py": CLI.replace("commands.", "")},
            "cli.py:1: custom_model_runner.score:run leads to no module",
        ),
        ({"cli.py": CLI.replace(":run", ":walk")}, "cli.py:1: commands/score.py has no walk"),
        ({"commands/score.py": "def outer():\n    run = 1"}, "cli.py:1: commands/score.py has no run"),
        ({"plugins.py": "FORMATS = {}"}, "plugins.py: no import string was found in it"),
    ],
)
def test_a_string_that_leads_nowhere_is_a_complaint(tmp_path: Path, faults: dict[str, str], complaint: str) -> None:
    assert string_complaints(plant(tmp_path, {**TREE, **faults})) == [complaint]
