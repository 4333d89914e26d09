"""The event loop of the first process."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from custom_model_runner.server import supervisor
from custom_model_runner.server.board import open_board
from custom_model_runner.server.supervisor import SIGNALS, Supervisor
from custom_model_runner.settings import ServerSettings


@pytest.fixture
def loop() -> Iterator[Supervisor]:
    """A supervisor that is not open yet; the handlers of this process are put back in the end."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with socket.socket() as listener:
        one = Supervisor(listener, "127.0.0.1:0", open_board(1))
        yield one
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        one.loop.close()
        for end in one.pipe:
            os.close(end)


def test_no_signal_waits_for_the_next_event(loop: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    set_handler = signal.signal

    def set_and_send(number: int, handler: Any) -> Any:
        before = set_handler(number, handler)
        signal.raise_signal(number)
        return before

    monkeypatch.setattr(supervisor.signal, "signal", set_and_send)  # type: ignore[attr-defined]
    loop.open(ServerSettings(probe_address=()))
    monkeypatch.undo()
    assert set(loop.signals) == SIGNALS
    assert loop.loop.select(0) != []
