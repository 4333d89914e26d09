"""Log lines on standard error, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from custom_model_runner.errors import BaseCustomUserError, RunnerError

ROOT = "drum"
LEVELS = {"all": logging.NOTSET + 1, "warn": logging.WARNING, "fatal": logging.CRITICAL}
# The attribute of a log record with the facts that its message is made of.
FIELDS = "drum_fields"
# What a line tells of the request in whose thread it is written.
CONTEXT: ContextVar[Callable[[], Mapping[str, str]] | None] = ContextVar("drum.context", default=None)


def _context() -> Mapping[str, str]:
    tell = CONTEXT.get()
    return tell() if tell else {}


class _Text(logging.Formatter):
    """Appends what is known about the request, when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        context = _context()
        return f"{super().format(record)} {dict(context)}" if context else super().format(record)


class _Json(logging.Formatter):
    """One object per line: time (UTC), level, logger, message, what is known of the request, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_context(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


FORMATS: Mapping[str, logging.Formatter] = {
    "text": _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"),
    "json": _Json(),
}


def configure(level: str, form: str = "text") -> None:
    """Send what the runner logs at this level and above to standard error.

    In JSON, what user code and libraries log comes the same way, from the level at which Python shows it by itself.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[form])
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(LEVELS.get(level, logging.getLevelName(level.upper())))
    logger.propagate = False
    if form == "json":
        logging.getLogger().handlers[:] = [handler]


def notice(*texts: str) -> None:
    """Tell the person at the terminal, a line each, what they did not ask for and will want to know."""
    for text in texts:
        _say(logging.INFO, text, f"drum: {text}")


def failure(error: Exception, *, show_stacktrace: bool) -> None:
    """Explain a failure in one line, after its traceback if that is wanted."""
    is_ours = isinstance(error, (RunnerError, BaseCustomUserError))
    text = " ".join(str(error).split()) if is_ours else f"{type(error).__name__}: {error}".partition("\n")[0]
    trace = "".join(traceback.format_exception(error)) if show_stacktrace else ""
    _say(logging.ERROR, text, f"{trace}drum: error: {text}", error if show_stacktrace else None)


def _say(level: int, text: str, as_text: str, error: Exception | None = None) -> None:
    """Write a line that no level hides, in the format of the log."""
    handlers = logging.getLogger(ROOT).handlers
    if handlers and isinstance(handlers[0].formatter, _Json):
        exc_info = (type(error), error, error.__traceback__) if error else None
        as_text = handlers[0].format(logging.LogRecord(ROOT, level, "", 0, "%s", (text,), exc_info))
    # Results are worth more than words about them: a closed or full standard error must not end the run.
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{as_text}\n")
