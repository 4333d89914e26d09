"""What the workers of a generation serve, and how they end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from custom_model_runner.server.board import open_board
from custom_model_runner.server.serving import LEAST_SECONDS, Folder
from custom_model_runner.settings import ServerSettings

from .seats import seat_on


def test_the_last_steps_share_their_time_and_one_that_fails_keeps_no_other_from_it() -> None:
    given = []

    def take_all(seconds: float) -> None:
        given.append(seconds)
        time.sleep(seconds)
        raise OSError("nobody listens")

    none: Any = None
    server = ServerSettings()
    folder = Folder(seat_on(open_board(1)), none, none, server, none, None, None, None, none, last_steps=[take_all] * 2)
    with pytest.raises(OSError, match="nobody listens"):
        folder.end(0.3)
    first, second = given
    assert LEAST_SECONDS < first <= 0.3
    assert second == LEAST_SECONDS
