"""What processes of a batch tell each other."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest

from custom_model_runner.batch import wire
from custom_model_runner.batch.wire import Kind, Message
from custom_model_runner.errors import RunnerError


class Narrow(io.FileIO):
    """A file that takes some bytes at a time, as the system does of 2 GiB."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write the first of them."""
        return super().write(memoryview(data)[:5])


def narrow(file: int, mode: str, buffering: int = -1) -> Any:
    """Open a file, buffered as `open` does."""
    raw: Any = Narrow(file, mode)
    return io.BufferedWriter(raw) if buffering else raw


def test_a_message_that_the_system_does_not_take_at_once_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "open", narrow, raising=False)
    here, there = socket.socketpair()
    with here, there:
        wire.send(here, Message(Kind.SEGMENT, b"0123456789" * 10_000, 3))
        found = wire.receive(there)
    assert found is not None
    assert (found.data, found.number) == (b"0123456789" * 10_000, 3)


def test_a_message_for_which_there_is_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - it is closed by what it is given to
    monkeypatch.setattr(wire, "_memory", lambda: full)
    here, there = socket.socketpair()
    told = r"^A block of 10 bytes cannot go from one process to another: No space left on device$"
    with here, there, pytest.raises(RunnerError, match=told):
        wire.send(here, Message(Kind.SEGMENT, b"0123456789"))
