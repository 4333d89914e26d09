"""Where a batch comes from."""

from __future__ import annotations

import sys
from pathlib import Path

from custom_model_runner.errors import InputError
from custom_model_runner.parsers import STANDARD_INPUT


def read(source: str) -> bytes:
    """Return the bytes of a file or of standard input."""
    try:
        return sys.stdin.buffer.read() if source == STANDARD_INPUT else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"The input {source!r} cannot be read: {error.strerror}") from error
