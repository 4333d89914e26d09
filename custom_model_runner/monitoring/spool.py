"""Reports as JSON lines in a directory: bounded files, each written by one process."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from custom_model_runner import logs, parsers
from custom_model_runner.data.report import Report, Subject
from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.monitoring import json_lines
from custom_model_runner.monitoring.destination import Destination, OpenSink, Sink

DEFAULT_MOST_FILES = 10
DEFAULT_MOST_BYTES = 10 << 20
PATTERN = "mlops-*.jsonl"


def default_directory() -> Path:
    """Return the directory that is used when none is named: private, below that of temporary files."""
    return Path(tempfile.gettempdir()) / f"drum-mlops-{os.getuid()}"


def prepare(destination: Destination) -> OpenSink:
    """Make the directory, and return how a process opens its first file there."""
    destination.refuse_others(("directory", "max_files", "file_max_size"))
    named = destination.settings.get("directory")
    directory = Path(named).absolute() if named else default_directory()
    most_files = _number(destination, "max_files", DEFAULT_MOST_FILES)
    most_bytes = _number(destination, "file_max_size", DEFAULT_MOST_BYTES)
    _make(directory, must_be_private=named is None)
    if named is None:
        logs.notice(f"MLOps reports go to {directory}")

    def open_sink() -> Sink:
        spool = Spool(directory, destination.subject, most_files=most_files, most_bytes=most_bytes)
        return Sink(spool.write, spool.close)

    return open_sink


def _number(destination: Destination, name: str, default: int) -> int:
    text = destination.settings.get(name)
    try:
        return default if text is None else parsers.positive(text)
    except ValueError as error:
        raise UsageError(f"--monitor-settings: {name}: {error}") from error


def _make(directory: Path, *, must_be_private: bool) -> None:
    """Make a directory that only its owner can enter; one that is there stays as it is."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is no directory" if isinstance(error, FileExistsError) else error.strerror
        raise UsageError(f"--monitor-settings: the directory {str(directory)!r} cannot be made: {reason}") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"--monitor-settings: the directory {str(directory)!r} cannot be written to")
    found = directory.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    if must_be_private and not is_private:
        raise UsageError(
            f"The directory for MLOps reports, {str(directory)!r}, is open to others; remove it, or name another: "
            "--monitor-settings 'spooler_type=filesystem;directory=DIR'"
        )


@dataclass
class Spool:
    """The files of one process in a directory that others may use too; the newest one is open and locked."""

    directory: Path
    subject: Subject
    most_files: int = DEFAULT_MOST_FILES
    most_bytes: int = DEFAULT_MOST_BYTES
    _file: int | None = field(default=None)
    _size: int = 0

    def write(self, report: Report, dropped: int) -> None:
        """Append the lines of a report, each by one write; a file that would grow too large is left for a new one."""
        try:
            for line in json_lines.write(report, self.subject, dropped=dropped):
                self._append(line)
        except OSError as error:
            self.close()
            place = str(self.directory)
            raise RunnerError(f"MLOps reports cannot be written to {place!r}: {error.strerror}") from error

    def _append(self, line: bytes) -> None:
        if self._file is None or (self._size and self._size + len(line) > self.most_bytes):
            self.close()
            self._file, self._size = self._open(), 0
            self._delete_oldest()
        written = os.write(self._file, line)
        if written < len(line):
            # The disk is full: take the torn line back, so that every line of the file stays whole.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _open(self) -> int:
        moment = datetime.fromtimestamp(time.time(), timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self.directory / f"mlops-{moment}-{os.getpid()}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o666)
        # Whoever deletes old files sees by the lock that this one is still written.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def _delete_oldest(self) -> None:
        """Delete files beyond the bound, oldest first, those of ended processes too; open ones stay."""
        for path in sorted(self.directory.glob(PATTERN))[: -self.most_files]:
            # Another process may be faster, or have the file open.
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def close(self) -> None:
        """Close the open file; the next report begins another."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
