"""A seat without a supervisor."""

from __future__ import annotations

import socket

from custom_model_runner.server.board import Board, OfGeneration, State
from custom_model_runner.server.seat import Seat


def seat_on(board: Board) -> Seat:
    """Return the first seat of a board; what it would listen on, and wake, is nothing."""
    generation = board.generations[0]
    generation.row.put(OfGeneration.STATE, State.LOADING)
    listener = socket.socket()
    listener.close()
    return Seat(listener, "127.0.0.1:0", board, generation, pipe=-1)
