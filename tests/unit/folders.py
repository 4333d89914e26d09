"""Code directories for one test: a few lines written where the test says."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any


def plant(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())
    return folder


def pickled(model: Any) -> bytes:
    """Return an artifact."""
    return pickle.dumps(model)
