"""Small files with one noun each: their length, the length of their functions, and their names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .tree import PACKAGE, expect_none, modules, plant

MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 60

# A drawer without a label fills up.
DRAWERS = frozenset({"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"})


def length_complaints(package: Path) -> list[str]:
    """Name every module and every function that is too long."""
    complaints = []
    for module in modules(package):
        lines = len(module.text.splitlines())
        if lines > MOST_LINES:
            complaints.append(f"{module.path}: has {lines} lines, at most {MOST_LINES} are allowed")
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    complaints.append(
                        f"{module.path}:{node.lineno}: {node.name} has {lines} lines, "
                        f"at most {MOST_LINES_OF_A_FUNCTION} are allowed"
                    )
    return complaints


def drawer_complaints(package: Path) -> list[str]:
    """Name every file and folder that is called after nothing."""
    complaints = []
    for module in modules(package):
        words = {word for part in module.path.removesuffix(".py").split("/") for word in part.split("_")}
        complaints += [f"{module.path}: '{word}' says nothing about it" for word in sorted(words & DRAWERS)]
    return complaints


def test_every_module_and_function_of_the_real_tree_is_short() -> None:
    expect_none(length_complaints(PACKAGE))


def test_every_file_of_the_real_tree_is_named_after_what_it_knows() -> None:
    expect_none(drawer_complaints(PACKAGE))


def test_a_module_may_have_three_hundred_lines_and_not_one_more(tmp_path: Path) -> None:
    package = plant(tmp_path, {"short.py": "x = 1\n" * 300, "long.py": "x = 1\n" * 301})
    assert length_complaints(package) == ["long.py: has 301 lines, at most 300 are allowed"]


@pytest.mark.parametrize("start", ["def walk():", "async def walk():"])
def test_a_function_may_have_sixty_lines_and_not_one_more(tmp_path: Path, start: str) -> None:
    package = plant(tmp_path, {"short.py": start + "\n    x = 1" * 59, "long.py": "\n" + start + "\n    x = 1" * 60})
    assert length_complaints(package) == ["long.py:2: walk has 61 lines, at most 60 are allowed"]


def test_a_long_method_of_a_class_is_seen(tmp_path: Path) -> None:
    package = plant(tmp_path, {"a.py": "class A:\n    def walk(self):" + "\n        x = 1" * 60})
    assert length_complaints(package) == ["a.py:2: walk has 61 lines, at most 60 are allowed"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("utils.py", "utils"),
        ("data/common.py", "common"),
        ("server/_helpers.py", "helpers"),
        ("batch/worker_manager.py", "manager"),
        ("base/tables.py", "base"),
    ],
)
def test_a_drawer_is_a_complaint(tmp_path: Path, path: str, word: str) -> None:
    package = plant(tmp_path, {path: "", "database.py": ""})
    assert drawer_complaints(package) == [f"{path}: '{word}' says nothing about it"]
