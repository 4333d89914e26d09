"""A user file, read and not imported: the hooks it defines and the packages it imports."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from custom_model_runner import spelling
from custom_model_runner.checks.places import NOT_INSTALLED, PYTHON, Places, names_in, top_level
from custom_model_runner.checks.report import Report
from custom_model_runner.codedir import EXTENDS
from custom_model_runner.interfaces import calls

# What the original calls in a user file and this version does not.
NOT_CALLED = ("fit", "CustomTask")
HEADS = (ast.FunctionDef, ast.AsyncFunctionDef)


def examine(path: Path, report: Report, *, places: Places, is_transform: bool) -> frozenset[str] | None:
    """Report what a user file holds, and return the hooks it defines; None where that cannot be told."""
    tree = _parse(path, report)
    if tree is None:
        return None
    _examine_imports(path, tree, report, places)
    return _examine_hooks(path, tree, report, is_transform=is_transform)


def examine_extension(path: Path, report: Report, *, places: Places) -> None:
    """Report what a file that extends the server holds."""
    tree = _parse(path, report)
    if tree is None:
        return
    _examine_imports(path, tree, report, places)
    names = names_in(tree)
    if names is not None and EXTENDS not in names:
        report.problem(f"{path.name} must define a function {EXTENDS}(app), but has none")


def _parse(path: Path, report: Report) -> ast.Module | None:
    try:
        return ast.parse(path.read_bytes(), filename=path.name)
    except (SyntaxError, ValueError) as error:
        place = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        report.problem(f"{path.name}{place} is not Python: {getattr(error, 'msg', error)}")
        return None


def _examine_hooks(path: Path, tree: ast.Module, report: Report, *, is_transform: bool) -> frozenset[str] | None:
    names = names_in(tree)
    functions = {node.name: node for node in top_level(tree.body) if isinstance(node, HEADS)}
    if names is None:
        report.note(f"{path.name} takes names from elsewhere (import *): its hooks are unknown")
    hooks = [name for name in calls.HOOKS if name in (names or functions)]
    shown = [f"{name}({ast.unparse(functions[name].args)})" if name in functions else name for name in hooks]
    report.fact("hooks", ", ".join(shown) or "none", depth=1)
    for name in hooks:
        if name in functions and not functions[name].decorator_list:
            stand_in = _stand_in(functions[name])
            if is_transform and name == "transform":
                report.attempt(calls.guard_convert, stand_in)
            else:
                report.attempt(calls.guard, name, stand_in)
    for name in functions:
        near = spelling.nearest(name, calls.HOOKS) if name not in (*calls.HOOKS, *NOT_CALLED) else None
        if near is not None and near not in hooks and not name.startswith("_"):
            report.note(f"{path.name} defines {name}, which is no hook; did you mean {near!r}?")
    for name in NOT_CALLED:
        if name in (names or functions):
            report.note(f"{path.name} defines {name}, which this version does not call")
    return None if names is None else frozenset(hooks)


def _stand_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Any:
    """Return a function of the same kind that takes the same arguments and does nothing."""

    def stand_in(*_: Any, **__: Any) -> None: ...

    async def async_stand_in(*_: Any, **__: Any) -> None: ...

    found: Any = async_stand_in if isinstance(function, ast.AsyncFunctionDef) else stand_in
    found.__signature__ = Signature(list(_parameters(function.args)))
    return found


def _parameters(arguments: ast.arguments) -> Iterator[Parameter]:
    by_position = [*arguments.posonlyargs, *arguments.args]
    required = len(by_position) - len(arguments.defaults)
    for place, each in enumerate(by_position):
        kind = Parameter.POSITIONAL_ONLY if each in arguments.posonlyargs else Parameter.POSITIONAL_OR_KEYWORD
        yield Parameter(each.arg, kind, default=inspect.Parameter.empty if place < required else None)
    if arguments.vararg:
        yield Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield Parameter(each.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else None)
    if arguments.kwarg:
        yield Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD)


def _examine_imports(path: Path, tree: ast.Module, report: Report, places: Places) -> None:
    """Report the packages that the file imports; one that is missing is a problem if importing the file needs it."""
    surely = {id(node) for node in tree.body}
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        for module in _modules(node):
            place = places.find(module)
            found[module.partition(".")[0]] = place.words
            if place.problem and id(node) in surely:
                cause = place.problem if place.words == NOT_INSTALLED else None
                report.problem(f"{path.name}, line {node.lineno}: {place.problem}", cause=cause)  # type: ignore[attr-defined]
            elif place.problem:
                report.note(f"{path.name}, line {node.lineno}: {place.problem}")  # type: ignore[attr-defined]
    shown = [f"{top} ({words})" for top, words in sorted(found.items()) if words != PYTHON]
    report.fact("imports", ", ".join(shown) or "nothing beyond Python's own", depth=1)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []
