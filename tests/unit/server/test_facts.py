"""The state of a server, read from the board."""

from __future__ import annotations

from custom_model_runner.monitoring.facts import Facts
from custom_model_runner.server.board import OfGeneration, OfServer, OfWorker, State, open_board
from custom_model_runner.server.facts import facts_of


def test_a_board_of_nothing_gives_nothing() -> None:
    facts = facts_of(open_board(2))
    assert not facts.is_ready
    assert facts.load_seconds is None
    assert set(facts.workers.values()) == set(facts.worker_restarts.values()) == {0}


def test_numbers_are_those_of_all_workers_of_all_generations() -> None:
    board = open_board(2)
    for generation, state in zip(board.generations, (State.DRAINING, State.READY), strict=False):
        generation.row.put(OfGeneration.STATE, state)
        generation.row.put(OfGeneration.WORKERS, 2)
        generation.row.put(OfGeneration.ENDED_BY_MEMORY, 2)
        for slot in generation.slots:
            slot.put(OfWorker.PID, 1)
            slot.put(OfWorker.STATE, state)
            slot.put(OfWorker.LOAD_MICROSECONDS, 1_000_000 * (slot.number + 1))
            slot.put(OfWorker.IN_FLIGHT, 1)
            slot.put(OfWorker.WAITING, 2)
            slot.put(OfWorker.MOST_CALLS, 65)
            slot.put(OfWorker.OVERDUE, 3)
    board.server.put(OfServer.RELOADS, 3)
    board.server.put(OfServer.FAILED_RELOADS, 2)
    board.server.put(OfServer.LOST_GENERATIONS, 1)
    assert facts_of(board) == Facts(
        is_ready=True,
        calls_in_flight=4,
        calls_waiting=8,
        # Those that drain take no more.
        calls_limit=130,
        calls_overdue=12,
        load_seconds=4.0,
        workers={"loading": 0, "ready": 2, "failed": 0, "draining": 2},
        worker_restarts={"signal": 0, "memory": 4, "exit": 0, "stuck": 0, "retired": 0},
        reloads=3,
        failed_reloads=2,
        lost_generations=1,
    )


def test_workers_that_do_not_serve_yet_add_nothing_to_what_is_taken() -> None:
    board = open_board(1)
    board.generations[0].row.put(OfGeneration.STATE, State.LOADING)
    board.generations[0].row.put(OfGeneration.WORKERS, 1)
    board.generations[0].slots[0].put(OfWorker.STATE, State.READY)
    board.generations[0].slots[0].put(OfWorker.MOST_CALLS, 65)
    assert facts_of(board).calls_limit == 0


def test_a_model_that_workers_share_was_loaded_by_their_master() -> None:
    board = open_board(1)
    board.generations[0].row.put(OfGeneration.STATE, State.READY)
    board.generations[0].row.put(OfGeneration.LOAD_MICROSECONDS, 2_500_000)
    assert facts_of(board).load_seconds == 2.5
