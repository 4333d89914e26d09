"""The border around foreign code: the one place where whatever it raises is caught and translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from custom_model_runner.errors import BaseCustomUserError, RunnerError, UserCodeError


def call(
    function: Callable[..., Any],
    *args: Any,
    failing: str,
    as_error: type[RunnerError] = UserCodeError,
    **kwargs: Any,
) -> Any:
    """Call foreign code; what it raises, `sys.exit` included, becomes one of our errors that says what failed.

    Errors of ours and errors that user code raises on purpose pass through.
    """
    try:
        return function(*args, **kwargs)
    except (RunnerError, BaseCustomUserError):
        raise
    except (Exception, SystemExit) as error:
        raise as_error(f"{failing} {error!r}") from error
