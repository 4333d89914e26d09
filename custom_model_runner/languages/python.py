"""Python user files, imported in this process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from custom_model_runner import border
from custom_model_runner.codedir import CodeDir
from custom_model_runner.errors import LoadError
from custom_model_runner.model import UserCode

MODULE = "custom"


def load(codedir: CodeDir, names: Iterable[str]) -> UserCode:
    """Import the folder's user file, if it has one, and return those of the named hooks that it defines.

    The folder's modules can be imported until `close`, by late imports and by pickles too.
    """
    folders = [codedir.user_file.parent, codedir.path] if codedir.user_file else [codedir.path]
    _set_aside_namesakes(folders)
    sys.path.insert(0, str(folders[0]))
    sys.path.append(str(codedir.path))
    with ExitStack() as stack:
        stack.callback(_forget_modules, codedir.path)
        stack.callback(sys.path.remove, str(codedir.path))
        stack.callback(sys.path.remove, str(folders[0]))
        hooks = _hooks(_import(codedir.user_file), names) if codedir.user_file else {}
        return UserCode(hooks, stack.pop_all().close)


def _import(path: Path) -> ModuleType:
    """Import a user file under the name that pickles made with it refer to."""
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"Failed loading hooks from [{path}] : it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    failing = f"Failed loading hooks from [{path}] :"
    border.call(spec.loader.exec_module, module, failing=failing, as_error=LoadError)
    return module


def _hooks(module: ModuleType, names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    hooks: dict[str, Callable[..., Any]] = {}
    for name in names:
        hook = getattr(module, name, None)
        if hook is None:
            continue
        if not callable(hook):
            raise LoadError(f"{module.__file__}: {name} must be a function, found {type(hook).__name__}")
        hooks[name] = hook
    return hooks


def _set_aside_namesakes(folders: Iterable[Path]) -> None:
    """Drop modules of other folders that are called like one here; whoever uses them keeps them."""
    here = {entry.stem for folder in folders for entry in folder.iterdir() if _is_module(entry)}
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if name.partition(".")[0] in here - sys.stdlib_module_names and origin and not _is_library(Path(origin)):
            del sys.modules[name]


def _is_module(entry: Path) -> bool:
    return entry.suffix == ".py" or (entry.is_dir() and any(entry.glob("*.py")))


def _is_library(path: Path) -> bool:
    return not {"site-packages", "dist-packages"}.isdisjoint(path.parts)


def _forget_modules(folder: Path) -> None:
    """Drop the modules that came from the folder, so that the next folder's own are imported."""
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        # An environment inside the folder holds libraries, and those cannot be imported twice.
        if origin and Path(origin).is_relative_to(folder) and not _is_library(Path(origin)):
            del sys.modules[name]
