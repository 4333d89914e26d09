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
from custom_model_runner.codedir import CodeDir, is_own
from custom_model_runner.errors import LoadError
from custom_model_runner.model import UserCode
from custom_model_runner.plugins import PACKAGE

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
        stack.callback(_leave_path, str(codedir.path))
        stack.callback(_leave_path, str(folders[0]))
        hooks = _hooks(_import(codedir.user_file), names) if codedir.user_file else {}
        return UserCode(hooks, stack.pop_all().close)


def _import(user_file: Path) -> ModuleType:
    """Import a user file under the name that pickles made with it refer to."""
    return import_file(user_file, MODULE, failing=f"Failed loading hooks from [{user_file}] :")


def _leave_path(folder: str) -> None:
    """Take a folder off the path, unless the user's code has done so."""
    if folder in sys.path:
        sys.path.remove(folder)


def import_file(path: Path, name: str, *, failing: str) -> ModuleType:
    """Import a file under a name; whatever it raises is a load error that begins with `failing`."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{failing} it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    border.call(spec.loader.exec_module, module, failing=failing, as_error=LoadError, file=str(path))
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
    for name in _user_modules():
        if name.partition(".")[0] in here:
            del sys.modules[name]


def _forget_modules(folder: Path) -> None:
    """Drop the modules that came from the folder, so that the next folder's own are imported."""
    for name, origin in _user_modules().items():
        if origin.is_relative_to(folder):
            del sys.modules[name]


def _is_module(entry: Path) -> bool:
    return entry.suffix == ".py" or (entry.is_dir() and any(entry.glob("*.py")))


def _user_modules() -> dict[str, Path]:
    """Return the imported modules that are neither the program, nor this package, nor of a library."""
    spared = sys.stdlib_module_names | {"__main__", PACKAGE}
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    origins = {name: Path(file) for name, file in files.items() if file and name.partition(".")[0] not in spared}
    return {name: origin for name, origin in origins.items() if is_own(origin)}
