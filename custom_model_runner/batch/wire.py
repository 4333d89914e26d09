"""What processes of a batch tell each other: bytes in anonymous shared memory, handed over by their descriptor.

Nothing is pickled, and memory that nobody holds open any more is gone, however its holders ended.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import IO, Any

from custom_model_runner.batch.blocks import BEGINNING, Block, Place
from custom_model_runner.errors import RunnerError

# Kind, number of a block, line in which it begins; what the place behind it is: files, offset, line.
HEADER = struct.Struct("<bqqqqq")
NO_LINE = -1
# The number of a failure that is of no block.
NO_BLOCK = -1
# Only Linux has it.
MEMORY: Callable[[str], int] | None = getattr(os, "memfd_create", None)


class Kind(IntEnum):
    """What a message is: a worker is READY, is told to BEGIN and given each BLOCK, and answers SEGMENT or FAILURE."""

    READY = 0
    BEGIN = 1
    BLOCK = 2
    SEGMENT = 3
    FAILURE = 4


@dataclass(frozen=True)
class Message:
    """A kind, its contents, and the number of the block that it is about."""

    kind: Kind
    data: bytes
    number: int = 0
    line: int | None = None
    behind: Place = BEGINNING

    @classmethod
    def of(cls, kind: Kind, facts: Any, *, number: int = 0) -> Message:
        """Return a message that holds facts, which must be such that JSON knows."""
        return cls(kind, json.dumps(facts).encode(), number)

    @classmethod
    def of_block(cls, block: Block) -> Message:
        """Return the message that a block is to be predicted."""
        return cls(Kind.BLOCK, block.data, block.number, block.first_line, block.behind)

    def block(self) -> Block:
        """Return the block that it is about."""
        return Block(self.number, self.data, self.line, behind=self.behind)

    def facts(self) -> Any:
        """Return the facts in it."""
        return json.loads(self.data)


def send(connection: socket.socket, message: Message) -> None:
    """Send a message; the other side holds its memory from then on."""
    behind = message.behind
    head = HEADER.pack(
        message.kind, message.number, _packed(message.line), behind.files, behind.offset, _packed(behind.line)
    )
    with _memory() as file:
        _fill(file, message.data)
        socket.send_fds(connection, [head], [file.fileno()])


def _memory() -> IO[bytes]:
    """Return anonymous memory as a file; where the system has none, a file without a name."""
    if MEMORY is not None:
        return open(MEMORY("drum-batch"), "wb", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _fill(file: IO[bytes], data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            # The system takes no more than 2 GiB at once.
            left = left[file.write(left) :]
    except OSError as error:
        what = f"A block of {len(data)} bytes cannot go from one process to another"
        raise RunnerError(f"{what}: {error.strerror}") from error


def receive(connection: socket.socket) -> Message | None:
    """Return the next message, None when the other side has gone."""
    head, descriptors, _, _ = socket.recv_fds(connection, HEADER.size, 1)
    if not head:
        return None
    kind, number, line, files, offset, next_line = HEADER.unpack(head)
    behind = Place(number + 1, files, offset, _unpacked(next_line))
    with open(descriptors[0], "rb", buffering=0) as file:
        file.seek(0)
        return Message(Kind(kind), file.read(), number, _unpacked(line), behind)


def _packed(line: int | None) -> int:
    return NO_LINE if line is None else line


def _unpacked(line: int) -> int | None:
    return None if line == NO_LINE else line
