"""Log lines on standard error."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress

from custom_model_runner.errors import BaseCustomUserError, RunnerError

ROOT = "drum"
LEVELS = {"all": logging.NOTSET + 1, "warn": logging.WARNING, "fatal": logging.CRITICAL}


class _WithContext(logging.Formatter):
    """Appends what is known about the request, when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = getattr(record, "request_id", None)
        context = f" {{'request_id': {request_id!r}}}" if request_id else ""
        return super().format(record) + context


def configure(level: str) -> None:
    """Send what the runner logs at this level and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithContext("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(LEVELS.get(level, logging.getLevelName(level.upper())))
    logger.propagate = False


def notice(*texts: str) -> None:
    """Tell the person at the terminal, a line each, what they did not ask for and will want to know."""
    for text in texts:
        _say(f"drum: {text}\n")


def _say(text: str) -> None:
    # Results are worth more than words about them: a closed or full standard error must not end the run.
    with suppress(OSError, ValueError):
        sys.stderr.write(text)


def failure(error: Exception, *, show_stacktrace: bool) -> None:
    """Explain a failure in one line, after its traceback if that is wanted."""
    if show_stacktrace:
        traceback.print_exception(error)
    is_ours = isinstance(error, (RunnerError, BaseCustomUserError))
    text = " ".join(str(error).split()) if is_ours else f"{type(error).__name__}: {error}".partition("\n")[0]
    _say(f"drum: error: {text}\n")
