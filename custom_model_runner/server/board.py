"""What the processes of a server tell each other: rows of whole numbers in memory that all of them see.

There are no locks between processes: each cell has one writer at a time. The supervisor writes the server's row, and of
a generation's row which process it is and how far; its master the rest, and slots that nobody has; a worker its own.
The supervisor clears all rows of a generation that has no process.
"""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

from custom_model_runner.parsers import MOST_WORKERS

# One serves, one loads, one drains.
GENERATIONS = 3
CELLS = 16
CELL_BYTES = 8


class State(IntEnum):
    """How far a process is; a worker that explains why nothing could be loaded has FAILED."""

    NONE = 0
    LOADING = 1
    READY = 2
    FAILED = 3
    DRAINING = 4


class OfServer(IntEnum):
    """The cells of the server's row."""

    PID = 0
    STATE = 1
    RELOADS = 2
    FAILED_RELOADS = 3
    LOST_GENERATIONS = 4


class OfGeneration(IntEnum):
    """The cells of a generation; the last five count workers that ended, since the server was started, by reason."""

    PID = 0
    STATE = 1
    WORKERS = 2
    GRACE_MILLISECONDS = 3
    # Of a model that was loaded before the workers were forked; else each slot has its own.
    LOAD_MICROSECONDS = 4
    ENDED_BY_SIGNAL = 8
    ENDED_BY_MEMORY = 9
    ENDED_BY_EXIT = 10
    ENDED_STUCK = 11
    ENDED_ON_PURPOSE = 12


# The cells of a generation that outlive it, and the words that logs and metrics have for them.
REASONS = {
    OfGeneration.ENDED_BY_SIGNAL: "signal",
    OfGeneration.ENDED_BY_MEMORY: "memory",
    OfGeneration.ENDED_BY_EXIT: "exit",
    OfGeneration.ENDED_STUCK: "stuck",
    OfGeneration.ENDED_ON_PURPOSE: "retired",
}


class OfWorker(IntEnum):
    """The cells of a slot.

    IN_FLIGHT calls are inside the model, SLOTS at the most, and WAITING ones in the queue; a worker with MOST_CALLS of
    both, unless that is 0, takes no more. CALLS counts those that have ended, OVERDUE those that still run after their
    deadline. LEAVING is the `OfGeneration` cell that counts the end which the worker itself is about to choose, else 0.
    """

    PID = 0
    STATE = 1
    IN_FLIGHT = 2
    WAITING = 3
    MOST_CALLS = 4
    CALLS = 5
    OVERDUE = 6
    LEAVING = 7
    LOAD_MICROSECONDS = 8
    SLOTS = 9


@dataclass(frozen=True)
class Row:
    """A row of the board and its number; reading and writing a cell is atomic, adding to it is not."""

    number: int
    cells: memoryview[int]

    def get(self, cell: IntEnum) -> int:
        """Return what stands in a cell."""
        return self.cells[cell]

    def put(self, cell: IntEnum, value: int) -> None:
        """Write a cell."""
        self.cells[cell] = value

    def add(self, cell: IntEnum, value: int) -> None:
        """Add to a cell; threads of one process need a lock for it."""
        self.cells[cell] += value

    def clear(self, *, kept: Collection[int] = ()) -> None:
        """Set all cells to zero but those that are kept."""
        for cell in range(CELLS):
            if cell not in kept:
                self.cells[cell] = 0


class Slot(Row):
    """The row of a worker; its number is the same for all the workers that have it one after the other."""

    @property
    def state(self) -> State:
        """How far the worker is."""
        return State(self.get(OfWorker.STATE))

    @property
    def is_busy(self) -> bool:
        """Whether a further call would have to wait."""
        return 0 < self.get(OfWorker.SLOTS) <= self.get(OfWorker.IN_FLIGHT)

    @property
    def is_full(self) -> bool:
        """Whether the worker takes no further call."""
        most = self.get(OfWorker.MOST_CALLS)
        return bool(most) and self.get(OfWorker.IN_FLIGHT) + self.get(OfWorker.WAITING) >= most


@dataclass(frozen=True)
class Generation:
    """The rows of a generation: its own, and the slots of its workers."""

    row: Row
    slots: tuple[Slot, ...]

    @property
    def state(self) -> State:
        """How far it is."""
        return State(self.row.get(OfGeneration.STATE))

    @property
    def occupied(self) -> tuple[Slot, ...]:
        """The slots that its workers can have."""
        return self.slots[: self.row.get(OfGeneration.WORKERS)]

    def clear(self) -> None:
        """Make the rows ready for the next generation; what counts since the start of the server stays."""
        self.row.clear(kept=REASONS)
        for slot in self.slots:
            slot.clear()


@dataclass(frozen=True)
class Board:
    """All rows of a server."""

    server: Row
    generations: tuple[Generation, ...]

    def workers(self) -> Iterator[Slot]:
        """Yield the slots that have a worker, of whatever generation."""
        for generation in self.generations:
            yield from (slot for slot in generation.occupied if slot.get(OfWorker.PID))

    def serving(self) -> list[Slot]:
        """Return the slots of the generation that serves."""
        return [slot for one in self.generations if one.state is State.READY for slot in one.occupied]

    def ended(self) -> dict[str, int]:
        """Return how many workers have ended since the server was started, by reason."""
        return {
            word: sum(generation.row.get(cell) for generation in self.generations) for cell, word in REASONS.items()
        }


def open_board(most_workers: int = MOST_WORKERS) -> Board:
    """Make a board; call it before the processes that share it are forked."""
    rows = 1 + GENERATIONS * (1 + most_workers)
    cells = memoryview(mmap.mmap(-1, rows * CELLS * CELL_BYTES)).cast("q")
    parts = [cells[start : start + CELLS] for start in range(0, rows * CELLS, CELLS)]
    slots = [Slot(number, part) for number, part in enumerate(parts[1 + GENERATIONS :])]
    return Board(
        Row(0, parts[0]),
        tuple(
            Generation(
                Row(number, parts[1 + number]), tuple(slots[number * most_workers : (number + 1) * most_workers])
            )
            for number in range(GENERATIONS)
        ),
    )
