"""Where a batch comes from."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from custom_model_runner.data import compression
from custom_model_runner.errors import InputError
from custom_model_runner.parsers import STANDARD_INPUT


def read(source: str) -> bytes:
    """Return the bytes of a file or of standard input."""
    try:
        return sys.stdin.buffer.read() if source == STANDARD_INPUT else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"The input {source!r} cannot be read: {error.strerror}") from error


def limit_of(given: int | None) -> int:
    """Return how many bytes an input may decode to: as many as was given, else as there is memory."""
    return psutil.virtual_memory().available if given is None else given


def read_decoded(source: str, limit: int) -> tuple[bytes, str]:
    """Return what a file holds and the name it would have without its compression, which its suffix tells.

    More decoded bytes than the limit are an input error.
    """
    name, encoding = compression.split(source)
    if encoding is None:
        return read(source), name
    try:
        with Path(source).open("rb") as file:
            return compression.read_all(compression.decoded(file, (encoding,), limit)), name
    except OSError as error:
        raise InputError(f"The input {source!r} cannot be read: {error.strerror}") from error
