"""A folder for files that the processes of one run share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from custom_model_runner.errors import UsageError


def make(parent: str | None) -> tuple[Path, Callable[[], None]]:
    """Make a folder inside of another, or of the system's; return it and what removes it.

    Only the process that made it can remove it; forked ones leave it alone.
    """
    owner = os.getpid()
    try:
        folder = Path(tempfile.mkdtemp(prefix="drum-", dir=parent or None))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"No folder for temporary files can be made: {reason}; TMPDIR names another place") from error

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    return folder, remove
