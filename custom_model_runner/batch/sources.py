"""Where a batch comes from: a file that can be read again, or a pipe that cannot."""

from __future__ import annotations

import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from custom_model_runner.addresses import file_name, scheme_of, shown
from custom_model_runner.batch import steady
from custom_model_runner.batch.steady import State
from custom_model_runner.batch.stores import store
from custom_model_runner.batch.stores.store import Changed
from custom_model_runner.data import compression
from custom_model_runner.data.compression import Readable
from custom_model_runner.delivery.fetching import StorageError
from custom_model_runner.errors import InputError, UsageError
from custom_model_runner.parsers import STANDARD_INPUT, files_of


class Unreadable(InputError):
    """An input that cannot be read now, whatever is in it."""


def files(text: str) -> Mapping[str, int | None]:
    """Return the files that an input names, here or in a storage, with their bytes; None where those are not known."""
    place = store.of(text)
    if place is None:
        return {name: Path(name).stat().st_size if is_lasting(name) else None for name in files_of(text)}
    with _readable(text):
        found = place.files(text)
    if not found:
        raise UsageError(f"--input: {shown(text)!r} is not there, expected an existing file, a folder, or a pattern")
    return found


def read(source: str) -> bytes:
    """Return the bytes of a file or of standard input."""
    if scheme_of(source) is not None:
        with opened(source, sys.maxsize, is_decoded=False) as stream:
            return compression.read_all(stream)
    try:
        return sys.stdin.buffer.read() if source == STANDARD_INPUT else Path(source).read_bytes()
    except OSError as error:
        raise _unreadable(source, error.strerror) from error


def limit_of(given: int | None) -> int:
    """Return how many bytes an input that is held as a whole may decode to: as was given, else as there is memory."""
    return psutil.virtual_memory().available if given is None else given


def is_lasting(source: str) -> bool:
    """Say whether an input can be read more than once."""
    return scheme_of(source) is not None or (source != STANDARD_INPUT and Path(source).is_file())


def is_file(source: str) -> bool:
    """Say whether an input is a file of this machine, which may be known again by a later run."""
    return scheme_of(source) is None and is_lasting(source)


def encoding_of(source: str) -> str | None:
    """Return how a file is compressed, by its name."""
    return compression.split(file_name(source))[1]


def at_hand(source: str) -> str:
    """Return a file that can be read in any order: itself, or a copy without a name until the process ends."""
    if scheme_of(source) is None:
        return source
    with tempfile.TemporaryFile() as copy, opened(source, sys.maxsize, is_decoded=False) as stream:
        while part := stream.read(compression.CHUNK):
            copy.write(part)
        copy.flush()
        # Linux opens it anew by this path.
        return f"/dev/fd/{os.dup(copy.fileno())}"


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
def opened(source: str, limit: int, *, start: int = 0, is_decoded: bool = True) -> Iterator[Readable]:
    """Open an input, decoded as its name says, so many bytes behind its beginning.

    One that is changed while it is read is an input error.
    """
    with _readable(source), _file(source) as file:
        encoding = encoding_of(source) if is_decoded else None
        stream = compression.decoded(file, (encoding,) if encoding else (), limit)
        if start and encoding is None and isinstance(file, Watched):
            file.seek(start)
        else:
            _skip(stream, start)
        yield stream


@contextmanager
def _readable(source: str) -> Iterator[None]:
    """Have what keeps an input from being read be an input error that names it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unreadable(source, error.strerror) from error
    except Changed as error:
        raise steady.changed(source, str(error)) from error
    except StorageError as error:
        raise _unreadable(source, str(error)) from error


def _skip(stream: Readable, size: int) -> None:
    while size > 0 and (part := stream.read(min(size, compression.CHUNK))):
        size -= len(part)


def pipe(source: str) -> Readable:
    """Return a pipe that is to be read once, as it comes; it stays open until the process ends."""
    try:
        return sys.stdin.buffer if source == STANDARD_INPUT else Path(source).open("rb")
    except OSError as error:
        raise _unreadable(source, error.strerror) from error


@contextmanager
def _file(source: str) -> Iterator[Readable]:
    place = store.of(source)
    if place is not None:
        with place.open(source) as stored:
            yield stored
    elif source == STANDARD_INPUT:
        yield Watched(sys.stdin.buffer, source)
    else:
        with Path(source).open("rb") as file:
            yield Watched(file, source)


class Watched:
    """A file that must not change until it is read to its end."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._before = _state(file)
        self.seek = file.seek

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        if not data and self._before is not None:
            self._before.check(self._name, _state(self._file))
        return data


def _state(file: IO[bytes]) -> State | None:
    """Return the state of a regular file; a pipe has none."""
    found = os.fstat(file.fileno())
    return State.of(found) if stat.S_ISREG(found.st_mode) else None


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


def end(source: str, size: int) -> bytes | None:
    """Return the last bytes of a file, so many if it has them, None where they cannot be read alone."""
    if encoding_of(source) is not None or scheme_of(source) is not None:
        return None
    with opened(source, sys.maxsize, start=max(Path(source).stat().st_size - size, 0)) as stream:
        return take(stream, size)


def is_longer(source: str, size: int) -> bool:
    """Say whether a file holds more bytes than that, decoded."""
    if encoding_of(source) is None and (known := files(source)[source]) is not None:
        return known > size
    with opened(source, sys.maxsize) as stream:
        while size >= 0 and (part := stream.read(compression.CHUNK)):
            size -= len(part)
    return size < 0


def _unreadable(source: str, reason: str | None) -> Unreadable:
    return Unreadable(f"The input {shown(source)!r} cannot be read: {reason}")


@contextmanager
def named(every: Sequence[str]) -> Iterator[None]:
    """Have what is wrong with a file be told with its name; that of one of several is told already."""
    try:
        yield
    except InputError as error:
        name = file_name(every[0])
        if len(every) == 1 and is_lasting(every[0]) and name not in str(error):
            error.args = (f"{name}: {error}",)
        raise
