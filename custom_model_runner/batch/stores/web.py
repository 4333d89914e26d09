"""Files of web servers: read with GET, in parts where the server gives parts, and written with PUT."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, cast

import aiohttp
from fsspec.asyn import sync
from fsspec.implementations.http import HTTPFileSystem

from custom_model_runner.batch.stores.store import Store, reading
from custom_model_runner.data.compression import Readable
from custom_model_runner.delivery.fetching import StorageError

# Seconds; how long all of a file takes has no limit.
PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
READ_BYTES = 8 << 20
PARTIAL, NOT_FOUND, BEYOND = 206, 404, 416


@dataclass(frozen=True)
class Facts:
    """What a server says of a file: its bytes if it knows them, whether it gives parts, what changes with the file."""

    size: int | None
    gives_parts: bool
    version: tuple[str | None, ...]


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the libraries raise into one cause.

    A key may be in an address, and addresses in what they raise: it is forgotten, lest a traceback shows it.
    """
    try:
        yield
    except aiohttp.ClientResponseError as error:
        raise StorageError(_answer(error.status, error.message)) from None
    except aiohttp.ClientConnectorError as error:
        raise StorageError(f"there is no connection to {error.host}:{error.port}: {error.os_error}") from error
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
        raise StorageError(f"the transfer broke off: {type(error).__name__}") from None


def _answer(status: int, reason: str | None) -> str:
    return f"the server answers {status} {reason or ''}".strip()


def _system() -> Any:
    options = {"timeout": PATIENCE, "trust_env": True, "auto_decompress": False}
    # An address is sent as it is given, since it may be signed; and so comes the file.
    return HTTPFileSystem(client_kwargs=options, encoded=True, headers={"Accept-Encoding": "identity"})


def _facts(address: str) -> Facts | None:
    """Return what a server says of a file, None where it has none."""
    system = _system()
    with explained():
        facts: Facts | None = sync(system.loop, partial(_ask, system, address))
    return facts


async def _ask(system: Any, address: str) -> Facts | None:
    """Ask for the first byte: what signs an address is often good for nothing but GET."""
    session = await system.set_session()
    headers = {**system.kwargs["headers"], "Range": "bytes=0-0"}
    async with session.get(system.encode_url(address), headers=headers) as answer:
        if answer.status == NOT_FOUND:
            return None
        if answer.status != BEYOND:
            answer.raise_for_status()
        told, _, total = answer.headers.get("Content-Range", "").rpartition("/")
        size = total if told else answer.headers.get("Content-Length", "")
        version = (size, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
        return Facts(int(size) if size.isdecimal() else None, answer.status == PARTIAL, version)


def _known(address: str) -> Facts:
    facts = _facts(address)
    if facts is None:
        raise StorageError("there is no such file")
    return facts


def files(address: str) -> Mapping[str, int | None]:
    """Return the file of an address; web servers have neither folders nor patterns."""
    facts = _facts(address)
    return {} if facts is None else {address: facts.size}


@contextmanager
def read(address: str) -> Iterator[Readable]:
    """Give a file, part after part, or else in one long answer."""
    facts, system = _known(address), _system()
    with explained():
        if facts.gives_parts and facts.size:
            file = system.open(address, size=facts.size, block_size=READ_BYTES, cache_type="readahead")
        else:
            file = system.open(address, size=facts.size, block_size=0)
    with file:
        yield reading(file, lambda: _known(address).version, facts.version, explained)


@contextmanager
def create(address: str) -> Iterator[BinaryIO]:
    """Give a file without a name, which is sent in one request when all of it was written."""
    with tempfile.TemporaryFile() as file:
        yield cast("BinaryIO", file)
        file.seek(0)
        system = _system()
        with explained():
            sync(system.loop, partial(_put, system, address, file))


async def _put(system: Any, address: str, file: Any) -> None:
    session = await system.set_session()
    async with session.put(system.encode_url(address), data=file) as answer:
        answer.raise_for_status()


STORE = Store(files, read, create)
