"""Where a batch goes: a file that appears only when it is complete, or standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.parsers import STANDARD_INPUT


def check(output: Path | None, source: str) -> None:
    """Refuse an output that would overwrite the input, or that cannot be a file; nothing is written yet."""
    if output is None:
        return
    if output.is_dir():
        raise UsageError(f"--output: {str(output)!r} is a directory, expected a file")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"--output: the directory {str(output.absolute().parent)!r} is not there")
    if source != STANDARD_INPUT and output.exists() and output.samefile(source):
        raise UsageError(f"--output: {str(output)!r} is the input file itself")


def write(output: Path, data: bytes) -> None:
    """Write a file so that it is either complete or as it was; a device or a pipe is written to as it is."""
    target = output.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(name, _mode_of(target))
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise RunnerError(f"--output: {str(output)!r} cannot be written: {error.strerror}") from error


def _mode_of(target: Path) -> int:
    """Return the mode of the file that is replaced, or that of any new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def clean_stdout() -> Iterator[int]:
    """Yield a descriptor of standard output, and meanwhile send what user code prints to standard error.

    This is done below Python too, so that libraries written in C are caught.
    """
    sys.stdout.flush()
    results = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield results
    finally:
        os.dup2(results, 1)
        os.close(results)


def emit(output: Path | None, data: bytes, *, stdout: int) -> None:
    """Write to the file if there is one, else to the descriptor of standard output."""
    if output is not None:
        write(output, data)
        return
    with open(stdout, "wb", closefd=False) as file:
        file.write(data)
