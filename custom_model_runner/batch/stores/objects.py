"""Storages of objects in buckets, by way of fsspec: https://filesystem-spec.readthedocs.io."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from fsspec import AbstractFileSystem

from custom_model_runner.addresses import scheme_of
from custom_model_runner.batch.stores.store import Explained, Store, reading
from custom_model_runner.data.compression import Readable
from custom_model_runner.delivery.fetching import StorageError

# What is asked for, and sent, at a time. Storages take 10,000 parts of one object, so it may have 156 GiB.
READ_BYTES, PART_BYTES = 8 << 20, 16 << 20
MAGIC = frozenset("*?[")
# What changes with an object, whatever its storage calls it.
VERSION = ("size", "ETag", "etag", "generation", "LastModified", "last_modified")


@dataclass(frozen=True)
class Objects:
    """A kind of storage: its class in fsspec, what that is made with, and how its failures are explained."""

    kind: type[AbstractFileSystem]
    explained: Explained
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """What a batch asks of it."""
        return Store(self.files, self.open, self.create)

    def files(self, address: str) -> Mapping[str, int | None]:
        """Return the object of an address, those in a folder, or those that a pattern means, by name."""
        with self.explained():
            system, path = self._find(address)
            try:
                facts = system.info(path)
            except FileNotFoundError:
                return self._matching(address, system, path) if MAGIC & set(path) else {}
            if facts["type"] == "file":
                return {address: facts["size"]}
            return self._matching(address, system, f"{path.rstrip('/')}/*")

    @contextmanager
    def open(self, address: str) -> Iterator[Readable]:
        """Give an object; one that is replaced while it is read is told."""
        with self.explained():
            system, path = self._find(address)
            before = _version(system.info(path))
            file = system.open(path, "rb", block_size=READ_BYTES, cache_type="readahead")
        with file:
            yield reading(file, lambda: _version(system.info(path)), before, self.explained)

    @contextmanager
    def create(self, address: str) -> Iterator[BinaryIO]:
        """Give what is uploaded in parts, which become an object in the end."""
        with self.explained():
            system, path = self._find(address)
            file = system.open(path, "wb", block_size=PART_BYTES)
        try:
            yield cast("BinaryIO", _Written(file, self.explained))
            with self.explained():
                file.close()
        except BaseException:
            with suppress(StorageError), self.explained():
                file.discard()
            # Lest it is completed when nobody holds it any more.
            file.closed = True
            raise

    def _find(self, address: str) -> tuple[Any, str]:
        options = {**self.options, **self.kind._get_kwargs_from_urls(address)}
        return self.kind(use_listings_cache=False, **options), self.kind._strip_protocol(address)

    def _matching(self, address: str, system: Any, pattern: str) -> Mapping[str, int | None]:
        found = system.glob(pattern, detail=True)
        names = {name: facts["size"] for name, facts in sorted(found.items()) if facts["type"] == "file"}
        # The bucket, with the account that it is of where that is told.
        bucket = address.partition("://")[2].partition("/")[0]
        return {
            f"{scheme_of(address)}://{bucket}/{name.partition('/')[2]}": size
            for name, size in names.items()
            if not name.rpartition("/")[2].startswith((".", "_"))
        }


def _version(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(facts.get(name) for name in VERSION)


class _Written:
    """An object that is written; it is completed by whoever has opened it."""

    closed = False

    def __init__(self, file: Any, explained: Explained) -> None:
        self._file = file
        self._explained = explained

    def write(self, data: bytes) -> int:
        with self._explained():
            self._file.write(data)
        return len(data)

    def flush(self) -> None:
        """Leave it: parts have a size of their own."""

    def close(self) -> None:
        """Leave it open."""
