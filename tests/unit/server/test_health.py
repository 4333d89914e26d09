"""Readiness, from the board alone."""

from __future__ import annotations

import pytest

from custom_model_runner.server.board import Board, OfGeneration, OfServer, OfWorker, State, open_board
from custom_model_runner.server.health import why_not_ready


def _board(*workers: State, generation: State = State.READY) -> Board:
    board = open_board(2)
    board.generations[0].row.put(OfGeneration.STATE, generation)
    board.generations[0].row.put(OfGeneration.WORKERS, len(workers))
    for slot, state in zip(board.generations[0].slots, workers, strict=False):
        slot.put(OfWorker.STATE, state)
    return board


@pytest.mark.parametrize("other", [State.READY, State.LOADING, State.NONE])
def test_one_worker_that_serves_is_enough(other: State) -> None:
    assert why_not_ready(_board(State.READY, other)) is None


def test_a_worker_that_has_loaded_does_not_count_before_its_generation_serves() -> None:
    assert why_not_ready(_board(State.READY, generation=State.LOADING)) == "the model is being loaded"


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        (open_board(1), "no worker is ready"),
        (_board(generation=State.LOADING), "the model is being loaded"),
        (_board(State.LOADING), "the model is being loaded"),
        (_board(State.NONE), "no worker is ready"),
        (_board(State.FAILED), "the folder cannot be loaded"),
        (_board(State.READY, generation=State.DRAINING), "no worker is ready"),
    ],
)
def test_without_a_worker_that_serves_the_reason_is_told(board: Board, reason: str) -> None:
    assert why_not_ready(board) == reason


def test_a_server_that_shuts_down_is_not_ready() -> None:
    board = _board(State.READY)
    board.server.put(OfServer.STATE, State.DRAINING)
    assert why_not_ready(board) == "the server is shutting down"


def test_a_server_is_not_ready_when_every_queue_is_full() -> None:
    board = _board(State.READY, State.READY)
    first, second = board.generations[0].slots
    for slot in (first, second):
        slot.put(OfWorker.MOST_CALLS, 1)
        slot.put(OfWorker.IN_FLIGHT, 1)
    assert why_not_ready(board) == "the queue is full"
    second.put(OfWorker.IN_FLIGHT, 0)
    assert why_not_ready(board) is None
