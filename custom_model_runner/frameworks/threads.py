"""How many threads a model may use, for libraries that do not ask the variable of OpenMP themselves."""

from __future__ import annotations

import os


def limit() -> int:
    """Return what OMP_NUM_THREADS allows, 0 where it says nothing."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isascii() and first.isdecimal() else 0
