"""The arrays that joblib writes between the opcodes of a pickle: how many bytes each takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from custom_model_runner.artifacts.values import Global, Made

MODULES = frozenset({"joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"})
NAME = "NumpyArrayWrapper"
# The objects of joblib that stand for arrays, the older ones for arrays in files of their own.
NAMES = frozenset({NAME, "NDArrayWrapper", "ZNDArrayWrapper"})

# Where the state of a pickled dtype holds the size of an item, and its flags; the lowest flag means Python objects.
SIZE, FLAGS = 5, 7
HAS_OBJECTS = 1


@dataclass(frozen=True)
class Layout:
    """What follows: a pickle of its own where the array holds objects, else so many bytes, padded or not."""

    size: int
    is_padded: bool
    has_objects: bool


def is_stand_in(maker: object) -> bool:
    """Say whether joblib puts an array in the place of what a class makes."""
    return isinstance(maker, Global) and maker.module in MODULES and maker.name == NAME


def layout(state: Any) -> Layout | None:
    """Return how the array is written whose description is the state of its stand-in; None where it is not told."""
    if not isinstance(state, dict):
        return None
    shape, dtype = state.get("shape"), state.get("dtype")
    padding = state.get("numpy_array_alignment_bytes")
    item = _item(dtype) if isinstance(dtype, Made) else None
    if item is None or not isinstance(shape, tuple) or not (padding is None or type(padding) is int):
        return None
    if not all(type(length) is int and length >= 0 for length in shape):
        return None
    size, has_objects = item
    return Layout(size * math.prod(shape), padding is not None, has_objects)


def _item(dtype: Made) -> tuple[int, bool] | None:
    """Return the size of an item, and whether it holds Python objects."""
    code = dtype.arguments[0] if dtype.arguments else None
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    if dtype.maker != Global("numpy", "dtype") or not isinstance(code, str) or len(state) <= FLAGS:
        return None
    size, flags = state[SIZE], state[FLAGS]
    if type(size) is not int or type(flags) is not int:
        return None
    if size < 0:
        # The sizes of numbers stand in their codes, such as f8.
        size = int(code[1:]) if code[1:].isascii() and code[1:].isdecimal() else -1
    return (size, bool(flags & HAS_OBJECTS)) if size >= 0 else None
