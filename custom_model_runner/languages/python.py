"""Python user files, imported in this process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from custom_model_runner import border
from custom_model_runner.codedir import CodeDir
from custom_model_runner.errors import LoadError
from custom_model_runner.model import UserCode

MODULE = "custom"


def load(codedir: CodeDir, names: Iterable[str]) -> UserCode:
    """Import the folder's user file and return those of the named hooks that it defines."""
    if codedir.user_file is None:
        return UserCode({})
    entries = [str(codedir.user_file.parent), str(codedir.path)]
    _set_aside_namesakes(codedir.path)
    sys.path.insert(0, entries[0])
    sys.path.append(entries[1])

    def close() -> None:
        for entry in entries:
            if entry in sys.path:
                sys.path.remove(entry)
        _forget_modules(codedir.path)

    try:
        return UserCode(_hooks(_import(codedir.user_file), names), close)
    except BaseException:
        close()
        raise


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


def _set_aside_namesakes(folder: Path) -> None:
    """Drop modules of other folders that are called like one here; their own users keep them."""
    for name in {entry.stem for entry in folder.iterdir()} - sys.stdlib_module_names:
        origin = getattr(sys.modules.get(name), "__file__", None)
        if origin and "site-packages" not in Path(origin).parts and not Path(origin).is_relative_to(folder):
            del sys.modules[name]


def _forget_modules(folder: Path) -> None:
    """Drop the modules that came from the folder, so that the next folder's own are imported."""
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        # An environment inside the folder holds libraries, and those cannot be imported twice.
        if origin and Path(origin).is_relative_to(folder) and "site-packages" not in Path(origin).parts:
            del sys.modules[name]
