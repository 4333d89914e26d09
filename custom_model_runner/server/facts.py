"""The state of a server, read from the board for its metrics."""

from __future__ import annotations

from collections.abc import Sequence

from custom_model_runner.monitoring.facts import Facts
from custom_model_runner.server import health
from custom_model_runner.server.board import Board, OfGeneration, OfServer, OfWorker, Slot, State

SHOWN = (State.LOADING, State.READY, State.FAILED, State.DRAINING)
MICROSECONDS = 1e-6


def facts_of(board: Board) -> Facts:
    """Return the state of a server as it is now."""
    workers = list(board.workers())
    states = [slot.state for slot in workers]
    ready = [slot for slot in board.serving() if slot.state is State.READY]
    loads = [slot.get(OfWorker.LOAD_MICROSECONDS) for slot in ready]
    # Where workers share a model, their master has loaded it.
    loads += [one.row.get(OfGeneration.LOAD_MICROSECONDS) for one in board.generations if one.state is State.READY]
    return Facts(
        is_ready=health.why_not_ready(board) is None,
        calls_in_flight=_total(OfWorker.IN_FLIGHT, workers),
        calls_waiting=_total(OfWorker.WAITING, workers),
        calls_limit=_total(OfWorker.MOST_CALLS, ready),
        calls_overdue=_total(OfWorker.OVERDUE, workers),
        load_seconds=max(loads) * MICROSECONDS if any(loads) else None,
        workers={state.name.lower(): states.count(state) for state in SHOWN},
        worker_restarts=board.ended(),
        reloads=board.server.get(OfServer.RELOADS),
        failed_reloads=board.server.get(OfServer.FAILED_RELOADS),
        lost_generations=board.server.get(OfServer.LOST_GENERATIONS),
    )


def _total(cell: OfWorker, workers: Sequence[Slot]) -> int:
    return sum(slot.get(cell) for slot in workers)
