"""Thrift's compact protocol, as far as Parquet uses it: https://github.com/apache/thrift/blob/master/doc/specs.

Structs become dicts from the number of a field to its value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Struct = dict[int, Any]

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
DEEPEST = 32
MOST_BITS = 70


@dataclass
class Reader:
    """Bytes, how far they have been read, and in how many structs and lists that is.

    What is broken is a ValueError, or an IndexError where it is cut short.
    """

    data: bytes | memoryview
    position: int = 0
    depth: int = 0

    def struct(self) -> Struct:
        """Return the struct that begins here."""
        self._enter()
        fields: Struct = {}
        field = 0
        while head := self._byte():
            # Fields are numbered from the one before; a step too long for the head stands behind it.
            field = field + (head >> 4) if head > 15 else self._signed()
            kind = head & 15
            # In a field the kind is the value; in a list it has a byte.
            fields[field] = READERS[kind](self) if kind > FALSE else kind == TRUE
        self.depth -= 1
        return fields

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError("values stand too deep in each other")

    def _byte(self) -> int:
        byte = self.data[self.position]
        self.position += 1
        return byte

    def _bytes(self, count: int) -> bytes:
        start, self.position = self.position, self.position + count
        if self.position > len(self.data):
            raise IndexError("the data is cut short")
        return bytes(self.data[start : self.position])

    def _unsigned(self) -> int:
        byte = self._byte()
        number, shift = byte & 127, 7
        while byte > 127:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if shift > MOST_BITS:
                raise ValueError("a number is too long")
        return number

    def _signed(self) -> int:
        number = self._unsigned()
        return number >> 1 ^ -(number & 1)

    def _double(self) -> float:
        (number,) = struct.unpack("<d", self._bytes(8))
        return float(number)

    def _binary(self) -> bytes:
        return self._bytes(self._unsigned())

    def _list(self) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head < 240 else self._unsigned()
        if count > len(self.data) - self.position:
            raise IndexError("a list is longer than the data")
        read = READERS[head & 15]
        self._enter()
        values = [read(self) for _ in range(count)]
        self.depth -= 1
        return values


def _broken(_: Reader) -> Any:
    raise ValueError("a type that does not exist")


# By the number of a type. Maps are in no file.
READERS: tuple[Callable[[Reader], Any], ...] = (
    _broken,
    Reader._byte,
    Reader._byte,
    Reader._byte,
    Reader._signed,
    Reader._signed,
    Reader._signed,
    Reader._double,
    Reader._binary,
    Reader._list,
    Reader._list,
    _broken,
    Reader.struct,
    _broken,
    _broken,
    _broken,
)
