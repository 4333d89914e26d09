"""What the workers of a generation serve, and how they end."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner import garbage, heap
from custom_model_runner.heap import Heap
from custom_model_runner.server.board import open_board
from custom_model_runner.server.serving import LEAST_SECONDS, Folder
from custom_model_runner.settings import ModelSettings, ServerSettings

from ..folders import pickled, plant
from .seats import seat_on


def test_memory_is_put_in_order_once_a_model_is_loaded_for_workers_to_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trims: list[object] = []
    monkeypatch.setattr(heap, "opened", lambda options: Heap(lambda: trims.append(options)))
    monkeypatch.setattr(garbage, "kept", nullcontext)
    none: Any = None
    model = pickled(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    settings = ModelSettings(plant(tmp_path, {"model.pkl": model}))
    folder = Folder(seat_on(open_board(1)), settings, none, ServerSettings(), none, None, None, None, none)
    served = folder.loaded()
    assert served is not None
    assert served.shared is not None
    served.shared.close()
    assert trims == [heap.SERVER]


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
