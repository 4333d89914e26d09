"""Python pickles. Opening one runs the code in it: open only what you trust."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any


def load(path: Path) -> Any:
    """Open a pickle; text in pickles written by Python 2 is read as latin-1."""
    with path.open("rb") as file:
        return pickle.load(file, encoding="latin1")
