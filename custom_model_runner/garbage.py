"""The search for garbage, which programs and models that are loaded once and stay only slow down."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unsearched() -> Iterator[None]:
    """Look for no garbage meanwhile; what is made should be little besides what stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def kept() -> Iterator[None]:
    """Look for no garbage meanwhile, nor ever among what is there in the end: it is part of the process."""
    with unsearched():
        yield
        gc.freeze()


def left_at_the_end() -> None:
    """Look for no garbage when this process ends: the system takes all of it, and a search would take a good while."""
    atexit.register(gc.freeze)
