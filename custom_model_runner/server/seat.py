"""Where a generation sits: what the supervisor hands to the processes that serve."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass

from custom_model_runner.server.board import Board, Generation, State

# A generation that ends with this code asks for another, each of whose workers loads for itself.
EXIT_UNSHARED = 249


@dataclass(frozen=True)
class Seat:
    """The sockets, the board and the place on it of one generation; a byte in `pipe` wakes the supervisor.

    `may_share` says whether its workers may share a model that was loaded before they were forked.
    """

    listener: socket.socket
    address: str
    board: Board
    generation: Generation
    pipe: int
    may_share: bool = True

    @property
    def may_serve(self) -> bool:
        """Whether the supervisor lets this generation take connections: not before it is to be the one that serves."""
        return self.generation.state is State.READY

    @property
    def is_served(self) -> bool:
        """Whether a worker of this generation serves its model."""
        return self.may_serve and any(slot.state is State.READY for slot in self.generation.occupied)

    def wake_supervisor(self) -> None:
        """Let the supervisor look at the board."""
        # A full pipe wakes it as well.
        with suppress(OSError):
            os.write(self.pipe, b"\0")
