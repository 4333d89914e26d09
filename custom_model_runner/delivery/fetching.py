"""Files from storage, fetched side by side into a folder; each is there as a whole, or as it was before."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import plugins
from custom_model_runner.delivery.orders import File, Repository
from custom_model_runner.errors import LoadError

LOG = logging.getLogger("drum.delivery")
# Files that are on their way at the same time.
LANES = 10


class StorageError(LoadError):
    """Storage does not give a file; the message is the cause alone."""


@dataclass(frozen=True)
class Stat:
    """What storage says of a file: bytes, and seconds since the epoch when it was changed."""

    size: int
    changed: float


@dataclass(frozen=True)
class Bucket:
    """An open bucket: what it says of a key, and how a key is copied to a path; both raise StorageError."""

    stat: Callable[[str], Awaitable[Stat]]
    copy: Callable[[str, Path], Awaitable[None]]


def fetch(files: Sequence[File]) -> None:
    """Fetch every file that is not there already; the first failure ends all and is a load error."""
    asyncio.run(_fetch_all(files))


async def _fetch_all(files: Sequence[File]) -> None:
    lanes = asyncio.Semaphore(LANES)
    async with AsyncExitStack() as stack:
        buckets: dict[Repository, Bucket] = {}
        for repository in dict.fromkeys(file.repository for file in files):
            storage = plugins.find(plugins.STORAGES[repository.kind])
            buckets[repository] = await stack.enter_async_context(storage.open_bucket(repository))
        tasks = [asyncio.create_task(_fetch(file, buckets[file.repository], lanes)) for file in files]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _fetch(file: File, bucket: Bucket, lanes: asyncio.Semaphore) -> None:
    async with lanes:
        try:
            stat = await bucket.stat(file.key)
            if _is_there(file.path, stat):
                LOG.info("%s is there already", file.path)
                return
            await _copy(file, bucket, stat)
        except StorageError as error:
            raise LoadError(f"{_named(file)}: {error}") from error
    LOG.info("%s was fetched: %d bytes", file.path, stat.size)


def _named(file: File) -> str:
    repository = file.repository
    place = f"bucket {repository.bucket!r}" + (f" at {repository.endpoint}" if repository.endpoint else "")
    return f"{file.path} cannot be fetched as {file.key!r} from the repository {repository.name!r} ({place})"


def _is_there(path: Path, stat: Stat) -> bool:
    """Say whether a file is what was fetched before: of the same size, and bearing the same time."""
    try:
        found = path.stat()
    except OSError:
        return False
    return path.is_file() and found.st_size == stat.size and int(found.st_mtime) == int(stat.changed)


async def _copy(file: File, bucket: Bucket, stat: Stat) -> None:
    """Copy beside the final place and rename, so that nobody ever sees a part of a file."""
    partial = file.path.with_name(f".{file.path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        await bucket.copy(file.key, partial)
        size = partial.stat().st_size
        if size != stat.size:
            raise StorageError(f"{size} bytes arrived, expected {stat.size}; was it replaced meanwhile?")
        os.utime(partial, (stat.changed, stat.changed))
        os.replace(partial, file.path)
    except OSError as error:
        raise LoadError(f"{file.path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
