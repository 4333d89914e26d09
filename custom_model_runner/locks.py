"""A lock between forked processes that the system opens again when its holder dies, in whatever way."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lock:
    """A file that one process at a time has locked, and what keeps its threads apart; it lives as long as they do."""

    descriptor: int
    threads: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else in."""
        with self.threads:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self.descriptor, fcntl.LOCK_UN)


def open_lock() -> Lock:
    """Make a lock; call it before the processes that share it are forked."""
    with tempfile.TemporaryFile() as file:
        return Lock(os.dup(file.fileno()))
