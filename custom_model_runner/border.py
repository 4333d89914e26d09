"""The border around foreign code: the one place where whatever it raises is caught and translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from custom_model_runner.errors import BaseCustomUserError, RunnerError, Terminated, UserCodeError

LONGEST = 500


def call(
    function: Callable[..., Any],
    *args: Any,
    failing: str,
    as_error: type[RunnerError] = UserCodeError,
    **kwargs: Any,
) -> Any:
    """Call foreign code; what it raises, `sys.exit` included, becomes one of our errors that says what failed.

    Errors of ours, errors that user code raises on purpose, and signals pass through.
    """
    try:
        return function(*args, **kwargs)
    except (RunnerError, BaseCustomUserError, KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:
        raise as_error(f"{failing} {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    """Keep a message a message: user code may have put its data into it, or be unable to give it."""
    try:
        text = repr(error)
    except Exception:
        text = type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
