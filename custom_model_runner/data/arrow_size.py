"""How much Arrow tables unfold to: some of their types have rows that take no bytes, or that share them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custom_model_runner.data.payload import CELL

types = pa.types


def _never(_kind: Any) -> bool:
    return False


# Types that newer versions have.
is_string_view = getattr(types, "is_string_view", _never)
is_binary_view = getattr(types, "is_binary_view", _never)
is_run_end_encoded = getattr(types, "is_run_end_encoded", _never)
is_list_view = getattr(types, "is_list_view", _never)
is_large_list_view = getattr(types, "is_large_list_view", _never)
OFFSET = 4
# A view is four numbers of 32 bits: the length, then the text, or if that is long its beginning, its buffer and place.
VIEW = np.dtype("<i4")
LONGEST_INSIDE = 12


def of(table: Any) -> int:
    """Return about how many bytes a table's values take in columns of pandas; an unusual type is a TypeError."""
    return sum(_column(chunk) for column in table.columns for chunk in column.chunks)


def _column(array: Any) -> int:
    # pandas keeps a column of categories as it is.
    return int(array.nbytes) if types.is_dictionary(array.type) else _size(array)


def _size(array: Any) -> int:
    kind = array.type
    if is_run_end_encoded(kind) or is_list_view(kind) or is_large_list_view(kind):
        raise TypeError("rows of this type share their values")
    if types.is_null(kind):
        return len(array) * CELL
    if types.is_primitive(kind):
        # `nbytes` lets go of the interpreter, and waits to get it back while other threads run Python.
        return len(array) * max(int(kind.bit_width) // 8, CELL if array.null_count else 1)
    if types.is_dictionary(kind):
        return unfolded(array)
    children = _children(array)
    own: int = len(array) * OFFSET if children else array.nbytes
    viewed = _viewed(array) if is_string_view(kind) or is_binary_view(kind) else 0
    return own + viewed + sum(map(_size, children))


def _children(array: Any) -> list[Any]:
    """Return the arrays inside an array, as far as its rows use them."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return [array.storage]
    if types.is_struct(kind):
        return list(array.flatten())
    if types.is_map(kind):
        return [array.keys, array.items]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return [array.flatten()]
    return []


def unfolded(array: Any) -> int:
    """Return about how many bytes a dictionary array takes when each row gets its own value."""
    values = array.dictionary
    if not (types.is_string(values.type) or types.is_binary(values.type) or types.is_large_string(values.type)):
        return len(array) * CELL + int(values.nbytes)
    lengths = pc.sum(pc.binary_length(values).take(array.indices)).as_py()
    return len(array) * CELL + (lengths or 0)


def _viewed(array: Any) -> int:
    """Return how long the texts are that views look at; those of missing rows are followed, too."""
    _, views, *texts = array.buffers()
    if views is None:
        return 0
    every = np.frombuffer(views, VIEW)[: 4 * (array.offset + len(array))].reshape(-1, 4)[array.offset :]
    lengths, numbers, starts = (every[:, place].astype(np.int64) for place in (0, 2, 3))
    is_elsewhere = lengths > LONGEST_INSIDE
    # The number of a buffer that there is not stands for an empty one.
    numbers[(numbers < 0) | (numbers >= len(texts))] = len(texts)
    sizes = np.array([*(text.size if text else 0 for text in texts), 0])
    is_inside = (starts >= 0) & (starts + lengths <= sizes[numbers])
    if (lengths < 0).any() or not is_inside[is_elsewhere].all():
        raise ValueError("a view looks behind its text")
    return int(lengths.sum())
