"""What a batch asks of a storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO

from custom_model_runner import plugins
from custom_model_runner.addresses import scheme_of, shown
from custom_model_runner.data.compression import Readable
from custom_model_runner.delivery.fetching import StorageError
from custom_model_runner.errors import LoadError, UsageError

# Turns what libraries raise into a `StorageError`.
Explained = Callable[[], AbstractContextManager[None]]


class Changed(StorageError):
    """A file is another one than when its reading began."""


@dataclass(frozen=True)
class Store:
    """A storage; all that goes wrong in it is a `StorageError`.

    `files` are those that an address means, in order, with their bytes; None for one that can only be read as it comes,
    like a pipe. `open` gives a file from its beginning. `create` gives a file that is there when all of it was written,
    and only then.
    """

    files: Callable[[str], Mapping[str, int | None]]
    open: Callable[[str], AbstractContextManager[Readable]]
    create: Callable[[str], AbstractContextManager[BinaryIO]]


def of(address: str) -> Store | None:
    """Return the storage of an address, None for a local file; one that is not there is a usage error."""
    scheme = scheme_of(address)
    if scheme is None:
        return None
    line = plugins.STORES.get(scheme)
    if line is None:
        known = ", ".join(f"{name}://" for name in plugins.STORES)
        raise UsageError(f"{shown(address)!r} is in no storage that is known, expected one of: {known}")
    try:
        found: Store = plugins.find(line).STORE
    except LoadError as error:
        raise UsageError(f"{shown(address)!r}: {error}") from error
    return found


def reading(file: Any, version: Callable[[], object], before: object, explained: Explained) -> Readable:
    """Return a file that must be of the same version when it was read to its end."""
    return _Read(file, lambda: version() == before, explained)


class _Read:
    def __init__(self, file: Any, is_same: Callable[[], bool], explained: Explained) -> None:
        self._file = file
        self._is_same = is_same
        self._explained = explained

    def read(self, size: int, /) -> bytes:
        with self._explained():
            data: bytes = self._file.read(size)
            is_same = bool(data) or self._is_same()
        if not is_same:
            raise Changed("it is another one now")
        return data
