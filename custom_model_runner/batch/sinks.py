"""Where a batch goes: a file that appears only when it is complete, or standard output."""

from __future__ import annotations

import errno
import fnmatch
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeGuard

from custom_model_runner.addresses import Address
from custom_model_runner.batch import sources
from custom_model_runner.batch.stores import store
from custom_model_runner.batch.stores.store import Store
from custom_model_runner.delivery.fetching import StorageError
from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.parsers import MARKS, STANDARD_INPUT, files_of


def settle(output: Path | Address | None, source: str) -> Path | Address | None:
    """Return where to write, or None for standard output, before anything is read or written."""
    if not isinstance(output, Address):
        return choose(output, source)
    if not output.is_of_file:
        raise UsageError(f"--output: {str(output)!r} is no address of a file, expected one that ends with its name")
    if output.url in sources.files(source):
        raise UsageError(f"--output: {str(output)!r} is the input file itself")
    if output.url.rpartition("/")[0] == source.rstrip("/") or _matches(output.url.split("/"), source.split("/")):
        raise _among(output, "--output")
    _place(output)
    return output


def choose(output: Path | None, source: str, *, flag: str = "--output") -> Path | None:
    """Return the file to write, or None for standard output, before anything is read or written.

    An output that is the input, or that cannot be a file, is a usage error; one that cannot be written is told, too.
    """
    if output is None or _is_descriptor(output, 1):
        return None
    if output.is_dir():
        raise UsageError(f"{flag}: {str(output)!r} is a directory, expected a file")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"{flag}: the directory {str(output.absolute().parent)!r} is not there")
    is_input = (
        _is_descriptor(output, 0)
        if source == STANDARD_INPUT
        else output.exists() and any(map(output.samefile, files_of(source)))
    )
    if is_input and output.is_file():
        raise UsageError(f"{flag}: {str(output)!r} is the input file itself")
    if source != STANDARD_INPUT and _would_be_input(output, source):
        raise _among(output, flag)
    with told(output, flag=flag):
        _try(output)
    return output


def _try(output: Path) -> None:
    """Raise the OSError that would keep an output from being written, without a trace of it."""
    if _is_plain(output):
        tempfile.TemporaryFile(dir=output.resolve().parent).close()
    elif not os.access(output, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _would_be_input(output: Path, source: str) -> bool:
    """Say whether a file, once it is written, would be one of those that a folder or a pattern means."""
    if output.name.startswith(MARKS) or Path(source).is_file():
        return False
    if Path(source).is_dir():
        return output.absolute().parent.samefile(source)
    return _matches(Path(os.path.abspath(output)).parts, Path(os.path.abspath(source)).parts)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Say whether a path matches a pattern, both part by part."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[n:], pattern[1:]) for n in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _among(output: Path | Address, flag: str) -> UsageError:
    return UsageError(f"{flag}: {str(output)!r} would be among the files of --input, expected another place for it")


def _is_descriptor(path: Path, descriptor: int) -> bool:
    """Say whether a path leads to what a descriptor of this process is open on."""
    return path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))


def write(output: Path | Address, data: bytes) -> None:
    """Write a file so that it is either complete or as it was; a device or a pipe is written to as it is."""
    with _written(output) as file:
        file.write(data)


@contextmanager
def told(output: Path | None, *, flag: str = "--output") -> Iterator[None]:
    """Have what keeps a file, or else standard output, from being written be told with its name."""
    name = "Standard output" if output is None else f"{flag}: {str(output)!r}"
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunnerError(f"{name} cannot be written: {error.strerror or error}") from error


@contextmanager
def replacing(output: Path, temporary: Path | None = None, *, flag: str = "--output") -> Iterator[BinaryIO]:
    """Give what is to be written to: a file that takes its place when all went well, or a device or pipe as it is.

    The temporary file must be in the same file system; by default it is beside the output.
    """
    with told(output, flag=flag):
        if not is_plain(output):
            with output.open("wb") as file:
                yield file
            return
        target = output.resolve()
        with _new(target, temporary or _beside(target)) as file:
            yield file


def place(path: Path, data: bytes, *, is_synced: bool = False) -> None:
    """Write a file that has its name when it is whole; synced, it survives a loss of power, too.

    Until then it is beside it, `.new` added to its name.
    """
    with _new(path, path.with_name(f"{path.name}.new"), is_synced=is_synced) as file:
        file.write(data)


@contextmanager
def _new(target: Path, temporary: Path, *, is_synced: bool = True) -> Iterator[BinaryIO]:
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    # Nobody may read what is to come who may not read what is there.
    opener = partial(os.open, mode=0o666 if mode is None else mode | 0o600)
    try:
        with open(temporary, "wb", opener=opener) as file:
            yield file
        if is_synced:
            sync(temporary)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if is_synced:
        sync_folder(target.parent)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}")


def sync(path: Path) -> None:
    """Have a file survive a loss of power."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power, where its file system knows how."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def divert_stdout() -> int:
    """Return a descriptor of standard output, and send what user code prints to standard error from now on.

    This is done below Python, so that libraries written in C are caught; and for good, because those write what
    they print when the process ends.
    """
    sys.stdout.flush()
    results = os.dup(1)
    os.dup2(2, 1)
    return results


def _written(output: Path | Address) -> AbstractContextManager[BinaryIO]:
    return _stored(output) if isinstance(output, Address) else replacing(output)


@contextmanager
def live(output: Path | Address | None, stdout: int) -> Iterator[BinaryIO]:
    """Give what is to be written to: the file if there is one, else the descriptor of standard output."""
    if output is not None:
        with _written(output) as file:
            yield file
        return
    with told(None), open(stdout, "wb", closefd=False) as file:
        yield file


def _place(output: Address) -> Store:
    place = store.of(output.url)
    if place is None:
        raise ValueError(f"{output} is no address")
    return place


@contextmanager
def _stored(output: Address) -> Iterator[BinaryIO]:
    try:
        with _place(output).create(output.url) as file:
            yield file
    except StorageError as error:
        raise RunnerError(f"--output: {str(output)!r} cannot be written: {error}") from error


def emit(output: Path | Address | None, data: bytes, *, stdout: int) -> None:
    """Write to the file if there is one, else to the descriptor of standard output."""
    with live(output, stdout) as file:
        file.write(data)


def is_plain(output: Path | Address) -> TypeGuard[Path]:
    """Say whether an output is, or will be, a file, and no device, pipe or address."""
    return isinstance(output, Path) and _is_plain(output)


def _is_plain(output: Path) -> bool:
    return output.is_file() or not output.exists()
