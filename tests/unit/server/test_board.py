"""The board: rows of numbers that forked processes see."""

from __future__ import annotations

import os

from custom_model_runner.server.board import OfGeneration, OfWorker, State, open_board


def test_what_a_forked_process_writes_is_seen_in_the_first() -> None:
    slot = open_board(2).generations[1].slots[1]
    pid = os.fork()
    if pid == 0:
        slot.put(OfWorker.IN_FLIGHT, 7)
        os._exit(0)
    os.waitpid(pid, 0)
    assert slot.get(OfWorker.IN_FLIGHT) == 7


def test_no_two_slots_share_a_number_or_a_cell() -> None:
    slots = [slot for generation in open_board(3).generations for slot in generation.slots]
    for slot in slots:
        slot.put(OfWorker.PID, slot.number + 1)
    assert [slot.get(OfWorker.PID) for slot in slots] == list(range(1, 10))


def test_a_slot_without_a_limit_is_never_full() -> None:
    slot = open_board(1).generations[0].slots[0]
    slot.put(OfWorker.IN_FLIGHT, 100)
    assert not slot.is_full


def test_a_slot_is_full_when_calls_inside_and_waiting_reach_its_limit() -> None:
    slot = open_board(1).generations[0].slots[0]
    slot.put(OfWorker.MOST_CALLS, 3)
    slot.put(OfWorker.IN_FLIGHT, 1)
    slot.put(OfWorker.WAITING, 1)
    assert not slot.is_full
    slot.put(OfWorker.WAITING, 2)
    assert slot.is_full


def test_clearing_a_generation_keeps_the_counts_of_workers_that_ended() -> None:
    board = open_board(1)
    generation = board.generations[0]
    generation.row.put(OfGeneration.STATE, State.READY)
    generation.row.add(OfGeneration.ENDED_BY_SIGNAL, 2)
    generation.slots[0].put(OfWorker.STATE, State.READY)
    generation.clear()
    assert (generation.state, generation.slots[0].state) == (State.NONE, State.NONE)
    assert board.ended()["signal"] == 2


def test_only_slots_with_a_process_have_workers() -> None:
    board = open_board(3)
    board.generations[0].row.put(OfGeneration.WORKERS, 2)
    board.generations[0].slots[1].put(OfWorker.PID, 4711)
    assert [slot.number for slot in board.workers()] == [1]
