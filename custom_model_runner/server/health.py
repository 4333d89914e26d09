"""Is the server ready? Answered from the board alone, so that no process has to be asked."""

from __future__ import annotations

from collections.abc import Collection

from custom_model_runner.server.board import Board, OfServer, State

NOT_READY = {
    State.NONE: "no worker is ready",
    State.LOADING: "the model is being loaded",
    State.FAILED: "the folder cannot be loaded",
    State.DRAINING: "the server is shutting down",
}
FULL = "the queue is full"


def why_not_ready(board: Board) -> str | None:
    """Return why the server should get no requests now, or None if it should."""
    if board.server.get(OfServer.STATE) == State.DRAINING:
        return NOT_READY[State.DRAINING]
    workers = board.serving()
    states = {slot.state for slot in workers}
    if State.READY not in states:
        return NOT_READY[_before(board, states)]
    if all(slot.is_full for slot in workers if slot.state is State.READY):
        return FULL
    return None


def _before(board: Board, states: Collection[State]) -> State:
    """Return the state of a server of whose workers none is ready."""
    if State.FAILED in states:
        return State.FAILED
    is_loading = State.LOADING in {*states, *(one.state for one in board.generations)}
    return State.LOADING if is_loading else State.NONE
