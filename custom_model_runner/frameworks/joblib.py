"""joblib files: pickles with their arrays beside them. Opening one runs the code in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib


def load(path: Path) -> Any:
    """Open a joblib file."""
    return joblib.load(path)
