"""The border around foreign code: the one place where whatever it raises is caught and translated."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from custom_model_runner.errors import BaseCustomUserError, RunnerError, Terminated, UserCodeError

LONGEST = 500


def call(
    function: Callable[..., Any],
    *args: Any,
    failing: str,
    as_error: type[RunnerError] = UserCodeError,
    file: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call foreign code; what it raises, `sys.exit` included, becomes one of our errors that says what failed.

    Where a `file` is given, the message names the last line of it that was running. Errors of ours, errors that user
    code raises on purpose, and signals pass through.
    """
    try:
        return function(*args, **kwargs)
    except (RunnerError, BaseCustomUserError, KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:
        raise as_error(f"{failing} {describe(error)}{_place(error, file)}") from error


def file_of(function: Callable[..., Any]) -> str | None:
    """Return the file in which a function was written, below its decorators; callable objects do not tell."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else str(code.co_filename)


def _place(error: BaseException, file: str | None) -> str:
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    return f" ({Path(file).name}:{lines[-1]})" if file and lines else ""


def describe(error: BaseException) -> str:
    """Return an exception as part of a message: its author may have put data into it, or made it unable to tell."""
    try:
        text = repr(error)
    except Exception:
        text = type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
