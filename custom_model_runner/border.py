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
        raise as_error(f"{failing} {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Return an exception as part of a message: its author may have put data into it, or made it unable to tell."""
    try:
        text = repr(error)
    except Exception:
        text = type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
