"""What the compressed buffers of an Arrow message unfold to, told before they do.

A message is a flatbuffer: https://github.com/apache/arrow/blob/main/format/Message.fbs. A compressed buffer begins with
its decoded length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Kinds of messages, and the positions of the fields that are looked at.
DICTIONARY_BATCH, RECORD_BATCH = 2, 3
KIND, HEADER = 1, 2
DICTIONARY_DATA = 1
BUFFERS, COMPRESSION = 2, 3
# A buffer that was not worth to be compressed.
AS_IT_IS = -1


@dataclass(frozen=True)
class _Table:
    """A table of a flatbuffer: where its fields are, its vtable tells."""

    data: memoryview
    start: int

    def place(self, field: int) -> int | None:
        """Return where a field stands, or None if it has its default."""
        vtable = self.start - _number("<i", self.data, self.start)
        slot = 4 + 2 * field
        if slot >= _number("<H", self.data, vtable):
            return None
        offset = _number("<H", self.data, vtable + slot)
        return self.start + offset if offset else None

    def follow(self, field: int) -> int | None:
        """Return where the table or vector of a field stands."""
        place = self.place(field)
        return None if place is None else place + _number("<I", self.data, place)

    def table(self, field: int) -> _Table | None:
        start = self.follow(field)
        return None if start is None else _Table(self.data, start)


def decoded_size(message: Any) -> int:
    """Return how many bytes decompression makes of a message, 0 for one without; a broken message is a ValueError."""
    try:
        data = memoryview(message.metadata)
        batch = _batch(_Table(data, _number("<I", data, 0)))
        if batch is None or batch.place(COMPRESSION) is None:
            return 0
        return sum(_decoded_length(memoryview(message.body), *buffer) for buffer in _buffers(batch))
    except struct.error as error:
        raise ValueError("a message is broken") from error


def _batch(message: _Table) -> _Table | None:
    place = message.place(KIND)
    kind = None if place is None else _number("<B", message.data, place)
    header = message.table(HEADER)
    if header is not None and kind == DICTIONARY_BATCH:
        return header.table(DICTIONARY_DATA)
    return header if kind == RECORD_BATCH else None


def _buffers(batch: _Table) -> Iterator[tuple[int, int]]:
    """Yield offset and length of each buffer in the body."""
    vector = batch.follow(BUFFERS)
    if vector is not None:
        for index in range(_number("<I", batch.data, vector)):
            place = vector + 4 + 16 * index
            yield _number("<q", batch.data, place), _number("<q", batch.data, place + 8)


def _decoded_length(body: memoryview, offset: int, length: int) -> int:
    if not length:
        return 0
    declared = _number("<q", body, offset)
    if declared < AS_IT_IS:
        raise ValueError("a buffer declares a negative length")
    return length if declared == AS_IT_IS else declared


def _number(kind: str, data: memoryview, place: int) -> int:
    """Return one number of a kind that `struct` knows."""
    # A negative place would be counted from the end.
    if place < 0:
        raise ValueError("an offset points out of its message")
    (number,) = struct.unpack_from(kind, data, place)
    return int(number)
