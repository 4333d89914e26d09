"""The stack, the memo and the findings of a pickle that is read and not run."""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from custom_model_runner.artifacts import versions
from custom_model_runner.artifacts.stream import TAIL, Ended, Stream
from custom_model_runner.artifacts.values import MARK, UNKNOWN, Global, Plain
from custom_model_runner.artifacts.versions import Version

# How many bytes the count takes that stands before an argument, by the mark that pickletools has for it.
COUNTS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
LONGEST_KEPT = 1 << 12
BROKEN = "it is not a pickle"


@dataclass
class Findings:
    """What was found, in the order in which it stands in the file.

    `roots` are what whole pickles hold; `end` says why the reading ended early, if it did.
    """

    globals: dict[Global, None] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    versions: set[Version] = field(default_factory=set)
    roots: list[Any] = field(default_factory=list)
    protocol: int = 0
    end: str | None = None

    def give_up(self, unknown: str, reason: Exception) -> None:
        """Write down that the reading ended early, and what is therefore unknown."""
        self.unknown[unknown] = None
        self.end = str(reason)


@dataclass
class Machine:
    """One pickle while it is read."""

    stream: Stream
    found: Findings
    has_arrays: bool
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    frame_end: int = 0

    def argument(self, opcode: pickletools.OpcodeInfo) -> bytes | None:
        """Return the bytes of an opcode's argument; one that is too long to be a name is passed over."""
        if opcode.arg is None:
            return b""
        size = opcode.arg.n
        if size == pickletools.UP_TO_NEWLINE:
            return self.stream.line()
        if size in COUNTS:
            size = int.from_bytes(self.stream.read(COUNTS[size]), "little")
        data = self.stream.read(size) if size <= LONGEST_KEPT else None
        tail = self.stream.skip(size) if data is None else data[-TAIL:]
        # A model of XGBoost is pickled as bytes that end with its version.
        if len(tail) == TAIL and (version := versions.of_xgboost(tail)):
            self.found.versions.add(version)
        return data

    def pop(self) -> Any:
        """Take the value on top."""
        value = self.top()
        self.stack.pop()
        return value

    def top(self) -> Any:
        """Return the value on top."""
        if not self.stack or self.stack[-1] is MARK:
            raise Ended(BROKEN)
        return self.stack[-1]

    def pop_to_mark(self) -> list[Any]:
        """Take what stands above the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise Ended(BROKEN)

    def push(self, value: Any) -> None:
        """Put a value on top."""
        self.stack.append(value)

    def push_unknown(self, what: str) -> None:
        """Put a value on top that cannot be told, and write that down."""
        self.found.unknown[f"{what} at byte {self.stream.position}"] = None
        self.push(UNKNOWN)

    def replace(self, opcode: pickletools.OpcodeInfo) -> None:
        """Do to the stack what an opcode does, with results of which only the kind is known."""
        before = opcode.stack_before
        if pickletools.markobject in before:
            self.pop_to_mark()
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self.pop()
        self.stack += [Plain(after.name) for after in opcode.stack_after]


# What an opcode does, given its argument as it was read.
Instruction = Callable[[Machine, Any], None]
