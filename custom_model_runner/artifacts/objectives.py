"""What a native booster was trained for, as far as its file tells without its library."""

from __future__ import annotations

import io
import re
from pathlib import Path

# XGBoost writes its objective near the end, in JSON or UBJSON; LightGBM in the header.
XGBOOST = re.compile(rb"objective.{1,24}?name.{1,24}?([a-z]+):[a-z]", re.DOTALL)
LIGHTGBM = re.compile(rb"^objective=([a-z]+)", re.MULTILINE)
NATIVE = {".json": XGBOOST, ".ubj": XGBOOST, ".txt": LIGHTGBM}
LOOK = 4096


def of(path: Path) -> str | None:
    """Return the family of the objective, such as `binary`, `multi` or `reg`; None where it cannot be told."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0 if path.suffix.lower() == ".txt" else max(0, size - LOOK))
        found = NATIVE[path.suffix.lower()].search(file.read(LOOK))
    return found[1].decode() if found else None
