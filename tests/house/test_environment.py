"""The process around us: who reads it, who prints, and who may catch everything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .tree import PACKAGE, Module, dotted, expect_none, modules, plant

# The one reader of the command line and the environment, and the only writer.
READER = "cli.py"
# User code and its tests set runtime parameters and secrets in the environment itself, so their views read it there;
# and libraries read how many threads they may have, or are read it to.
VIEWS = frozenset({"parameters.py", "user_secrets.py", "frameworks/threads.py"})

PROCESS = frozenset({"sys.argv", "os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"})
READS = frozenset({"os.environ"})
CHANGES = frozenset({"clear", "pop", "popitem", "setdefault", "update"})

# The borders where everything is caught: one around code that is not ours, two that render what is left.
# Threads and workers of a batch hand on whatever ended them.
BORDERS = frozenset({"border.py", "cli.py", "server/failures.py", "batch/ahead.py", "batch/worker.py"})
EVERYTHING = frozenset({"Exception", "BaseException"})


def facts_of_process(module: Module) -> list[tuple[int, str]]:
    """Return every mention of the command line and the environment, under its full name."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            found.append((node.lineno, dotted(node)))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name in PROCESS]


def writes(module: Module) -> list[tuple[int, str]]:
    """Return every statement that changes the environment through `os.environ`."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.append((node.lineno, dotted(node.value)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            found.append((node.lineno, dotted(node.func.value)))
        elif isinstance(node, ast.AugAssign):
            found.append((node.lineno, dotted(node.target)))
    return [(line, "a write to os.environ") for line, name in found if name == "os.environ"]


def environment_complaints(package: Path) -> list[str]:
    """Name every use of the command line and the environment outside their one reader."""
    complaints = []
    for module in modules(package):
        if module.path == READER:
            continue
        allowed = READS if module.path in VIEWS else frozenset()
        used = [fact for fact in facts_of_process(module) if fact[1] not in allowed]
        complaints += [
            f"{module.path}:{line}: {what} belongs to {READER} alone" for line, what in sorted({*used, *writes(module)})
        ]
    return complaints


def print_complaints(package: Path) -> list[str]:
    """Name every print outside the commands."""
    return [
        f"{module.path}:{node.lineno}: prints, which only commands/ may"
        for module in modules(package)
        if module.unit != "commands"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in {"print", "pprint", "pprint.pprint"}
    ]


def catches_everything(node: ast.AST) -> bool:
    """Say whether a node stops every exception; a handler that ends by raising it again cleans up and stops none."""
    if isinstance(node, ast.ExceptHandler):
        last = node.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            return False
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        return any(kind is None or dotted(kind) in EVERYTHING for kind in kinds)
    if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in {"suppress", "errorhandler"}:
        return any(dotted(kind) in EVERYTHING for kind in node.args)
    return False


def catch_complaints(package: Path) -> list[str]:
    """Name every bare except, every catch of everything away from a border, and every idle border."""
    complaints = []
    borders = set()
    for module in modules(package):
        for node in ast.walk(module.tree):
            place = f"{module.path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                complaints.append(f"{place}: a bare except hides what it catches")
            elif catches_everything(node) and module.path in BORDERS:
                borders.add(module.path)
            elif catches_everything(node):
                complaints.append(f"{place}: catches everything, away from every border")
    unused = sorted(border for border in BORDERS - borders if (package / border).exists())
    return complaints + [f"{border}: is listed as a border and catches nothing" for border in unused]


def test_the_real_tree_reads_its_process_in_one_place() -> None:
    expect_none(environment_complaints(PACKAGE))


def test_the_real_tree_prints_in_its_commands_only() -> None:
    expect_none(print_complaints(PACKAGE))


def test_the_real_tree_catches_everything_at_its_borders_only() -> None:
    expect_none(catch_complaints(PACKAGE))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import os\nhome = os.environ['HOME']", "os.environ"),
        ("import os\nhome = os.getenv('HOME')", "os.getenv"),
        ("import os\nos.putenv('A', 'b')", "os.putenv"),
        ("import sys\nwords = sys.argv[1:]", "sys.argv"),
        ("import re\nfrom os import path, environ", "os.environ"),
    ],
)
def test_a_look_at_the_process_is_a_complaint(tmp_path: Path, line: str, what: str) -> None:
    package = plant(tmp_path, {"model.py": line, "cli.py": line})
    assert environment_complaints(package) == [f"model.py:2: {what} belongs to cli.py alone"]


@pytest.mark.parametrize(
    "line",
    [
        "os.environ['A'] = 'b'",
        "del os.environ['A']",
        "os.environ.update(A='b')",
        "os.environ.setdefault('A', 'b')",
        "os.environ |= {'A': 'b'}",
    ],
)
def test_the_view_of_parameters_may_read_the_environment_and_not_write_it(tmp_path: Path, line: str) -> None:
    package = plant(tmp_path, {"parameters.py": f"import os\nfound = os.environ.get('A')\n{line}"})
    assert environment_complaints(package) == ["parameters.py:3: a write to os.environ belongs to cli.py alone"]


def test_a_print_outside_the_commands_is_a_complaint(tmp_path: Path) -> None:
    package = plant(tmp_path, {"model.py": "print('here')", "commands/new.py": "print('done')"})
    assert print_complaints(package) == ["model.py:1: prints, which only commands/ may"]


@pytest.mark.parametrize(
    "clause", ["except Exception:", "except BaseException as e:", "except (ValueError, Exception):"]
)
def test_catching_everything_away_from_a_border_is_a_complaint(tmp_path: Path, clause: str) -> None:
    text = f"try:\n    run()\n{clause}\n    stop()"
    package = plant(tmp_path, {"model.py": text, "border.py": text})
    assert catch_complaints(package) == ["model.py:3: catches everything, away from every border"]


def test_turning_everything_into_one_error_is_catching_everything(tmp_path: Path) -> None:
    text = "try:\n    run()\nexcept Exception as error:\n    raise LoadError from error"
    package = plant(tmp_path, {"model.py": text})
    assert catch_complaints(package) == ["model.py:3: catches everything, away from every border"]


def test_cleaning_up_and_raising_again_catches_nothing(tmp_path: Path) -> None:
    text = "try:\n    run()\nexcept BaseException:\n    close()\n    raise"
    assert catch_complaints(plant(tmp_path, {"model.py": text})) == []


@pytest.mark.parametrize(
    "text", ["with contextlib.suppress(Exception):\n    run()", "@app.errorhandler(Exception)\ndef admit(error): ..."]
)
def test_suppressing_and_handling_everything_is_catching_everything(tmp_path: Path, text: str) -> None:
    package = plant(tmp_path, {"model.py": text})
    assert catch_complaints(package) == ["model.py:1: catches everything, away from every border"]


def test_a_bare_except_is_a_complaint_even_at_a_border(tmp_path: Path) -> None:
    text = "try:\n    run()\nexcept Exception:\n    try:\n        stop()\n    except:\n        pass"
    package = plant(tmp_path, {"server/failures.py": text})
    assert catch_complaints(package) == ["server/failures.py:6: a bare except hides what it catches"]


def test_a_border_that_catches_nothing_is_struck_from_the_list(tmp_path: Path) -> None:
    package = plant(tmp_path, {"cli.py": "try:\n    run()\nexcept ValueError:\n    pass"})
    assert catch_complaints(package) == ["cli.py: is listed as a border and catches nothing"]
