"""Is the server ready? Answered from the board alone, so that no process has to be asked."""

from __future__ import annotations

from collections.abc import Sequence

from custom_model_runner.server.board import Board, Generation, OfServer, State

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
    serving = [one for one in board.generations if one.state in (State.LOADING, State.READY)]
    workers = [slot for one in serving for slot in one.occupied]
    states = {slot.state for slot in workers}
    if State.READY not in states:
        return NOT_READY[next((state for state in (State.FAILED, State.LOADING) if state in states), _before(serving))]
    if all(slot.is_full for slot in workers if slot.state is State.READY):
        return FULL
    return None


def _before(serving: Sequence[Generation]) -> State:
    """Return the state of a server whose workers have told nothing yet."""
    return State.LOADING if any(one.state is State.LOADING for one in serving) else State.NONE
