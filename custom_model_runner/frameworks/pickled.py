"""Python pickles. Opening one runs the code in it: open only what you trust."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from custom_model_runner.frameworks import joblib


def load(path: Path) -> Any:
    """Open a pickle, or a joblib file of that name; text in pickles written by Python 2 is read as latin-1."""
    try:
        with path.open("rb") as file:
            return pickle.load(file, encoding="latin1")
    except pickle.UnpicklingError:
        # joblib writes arrays between the opcodes, whatever the file is called.
        return joblib.load(path)
