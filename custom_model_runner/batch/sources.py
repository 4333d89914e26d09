"""Where a batch comes from: a file that can be read again, or a pipe that cannot."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from custom_model_runner.data import compression
from custom_model_runner.data.compression import Readable
from custom_model_runner.errors import InputError
from custom_model_runner.parsers import STANDARD_INPUT


def read(source: str) -> bytes:
    """Return the bytes of a file or of standard input."""
    try:
        return sys.stdin.buffer.read() if source == STANDARD_INPUT else Path(source).read_bytes()
    except OSError as error:
        raise _unreadable(source, error) from error


def limit_of(given: int | None) -> int:
    """Return how many bytes an input that is held as a whole may decode to: as was given, else as there is memory."""
    return psutil.virtual_memory().available if given is None else given


def is_lasting(source: str) -> bool:
    """Say whether an input can be read more than once."""
    return source != STANDARD_INPUT and Path(source).is_file()


def size_of(names: Sequence[str]) -> int:
    """Return how many bytes files have together; pipes count for nothing."""
    return sum(Path(name).stat().st_size for name in names if is_lasting(name))


def read_decoded(source: str, limit: int) -> tuple[bytes, str]:
    """Return what a file holds and the name it would have without its compression, which its suffix tells.

    More decoded bytes than the limit are an input error.
    """
    name, encoding = compression.split(source)
    if encoding is None:
        return read(source), name
    with opened(source, limit) as stream:
        return compression.read_all(stream), name


@contextmanager
def opened(source: str, limit: int, *, start: int = 0) -> Iterator[Readable]:
    """Open an input, decoded as its name says, so many bytes behind its beginning.

    One that is changed while it is read is an input error.
    """
    try:
        with _file(source) as file:
            encoding = compression.split(source)[1]
            if encoding is None and start:
                file.seek(start)
            stream = compression.decoded(Watched(file, source), (encoding,) if encoding else (), limit)
            if encoding is not None:
                _skip(stream, start)
            yield stream
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise _unreadable(source, error) from error


def _skip(stream: Readable, size: int) -> None:
    while size > 0 and (part := stream.read(min(size, compression.CHUNK))):
        size -= len(part)


def pipe(source: str) -> Readable:
    """Return a pipe that is to be read once, as it comes; it stays open until the process ends."""
    try:
        return sys.stdin.buffer if source == STANDARD_INPUT else Path(source).open("rb")
    except OSError as error:
        raise _unreadable(source, error) from error


@contextmanager
def _file(source: str) -> Iterator[IO[bytes]]:
    if source == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as file:
        yield file


class Watched:
    """A file that must not change until it is read to its end."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._before = _state(file)

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        if not data and _state(self._file) != self._before:
            raise changed(self._name)
        return data


def _state(file: IO[bytes]) -> tuple[int, int] | None:
    """Return what changes with a regular file; a pipe has nothing of it."""
    found = os.fstat(file.fileno())
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def changed(source: str) -> InputError:
    """Return the failure of an input that does not stay as it is."""
    return InputError(f"The input {source!r} was changed while it was read, expected a file that stays as it is")


class Prefixed:
    """Bytes that were read already, from some place on, and what comes after them."""

    def __init__(self, first: bytes, rest: Readable, *, start: int) -> None:
        self._first = io.BytesIO(first)
        self._first.seek(start)
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        return self._first.read(size) or self._rest.read(size)


def take(source: Readable, size: int) -> bytes:
    """Return so many bytes, or all there are if these are fewer."""
    # It hands out what it holds without a copy.
    taken = io.BytesIO()
    while size > 0 and (part := source.read(min(size, compression.CHUNK))):
        taken.write(part)
        size -= len(part)
    return taken.getvalue()


def is_longer(source: str, size: int) -> bool:
    """Say whether a file holds more bytes than that, decoded."""
    if compression.split(source)[1] is None:
        return Path(source).stat().st_size > size
    with opened(source, sys.maxsize) as stream:
        while size >= 0 and (part := stream.read(compression.CHUNK)):
            size -= len(part)
    return size < 0


def _unreadable(source: str, error: OSError) -> InputError:
    return InputError(f"The input {source!r} cannot be read: {error.strerror}")
