"""Python pickles. Opening one runs the code in it: open only what you trust."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from custom_model_runner.artifacts import arrays
from custom_model_runner.artifacts.stream import compression_of
from custom_model_runner.frameworks import joblib


class _WrittenByJoblib(Exception):
    """Arrays stand between the opcodes: read as opcodes they would do harm."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name.rpartition(".")[2] in arrays.NAMES:
            raise _WrittenByJoblib
        return super().find_class(module, name)


def load(path: Path) -> Any:
    """Open a pickle, or a joblib file of that name; text in pickles written by Python 2 is read as latin-1."""
    try:
        with path.open("rb") as file:
            if compression_of(file.peek(1)) is None:
                return _Unpickler(file, encoding="latin1").load()
    except _WrittenByJoblib:
        pass
    return joblib.load(path)
