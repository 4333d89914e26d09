"""A folder's own flask code: `custom_flask.py`, whose `init_app(app)` may add to the application and change it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

from custom_model_runner import border, codedir
from custom_model_runner.codedir import EXTENDS
from custom_model_runner.errors import BaseCustomUserError, LoadError
from custom_model_runner.languages import python

MODULE = "custom_flask"


def install(app: Flask, folder: Path) -> Callable[[], None]:
    """Let the folder's extension, if it has one, work on an application that has its routes.

    The modules beside the file can be imported until the function that is returned is called. Whatever goes wrong is a
    load error.
    """
    path = codedir.find_extension(folder)
    with ExitStack() as stack:
        if path is not None:
            app.extensions[MODULE] = path
            stack.callback(_enter_path(str(path.parent)))
            stack.callback(sys.modules.pop, MODULE, None)
            try:
                _run(app, path)
            except BaseCustomUserError as error:
                raise LoadError(f"The Flask extension [{path}] refuses to load: {error}") from error
        return stack.pop_all().close


def has_raised(error: BaseException, folder: Path) -> bool:
    """Say whether code of the folder, and not the runner itself, let an error out."""
    files = [Path(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(file.is_relative_to(folder) and codedir.is_own(file) for file in files)


def _enter_path(folder: str) -> Callable[[], None]:
    """Make the modules of a folder importable; the user file's folder is so already."""
    if folder in sys.path:
        return lambda: None
    sys.path.insert(0, folder)
    return lambda: sys.path.remove(folder)


def _run(app: Flask, path: Path) -> None:
    module = python.import_file(path, MODULE, failing=f"Failed loading the Flask extension from [{path}] :")
    function = getattr(module, EXTENDS, None)
    if not callable(function):
        found = "has none" if function is None else f"has {type(function).__name__}"
        raise LoadError(f"The Flask extension [{path}] must define a function {EXTENDS}(app), but {found}")
    failing = f"{EXTENDS} of the Flask extension [{path}] raised. Exception:"
    border.call(function, app, failing=failing, as_error=LoadError)
