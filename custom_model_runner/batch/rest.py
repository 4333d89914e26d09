"""What of an input is still to be predicted, and how many rows were done before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from custom_model_runner.batch.blocks import BEGINNING, Block, Blocks
from custom_model_runner.batch.store import Kept
from custom_model_runner.errors import BaseCustomUserError, RunnerError


class OfRows(RunnerError):
    """A failure of the rows of a block, so many, with the exit code of what failed."""

    def __init__(self, rows: int, error: RunnerError | BaseCustomUserError) -> None:
        super().__init__(str(error))
        self.rows = rows
        self.exit_code = error.exit_code


class InBlock(RunnerError):
    """A failure of some rows of an input, which it names, with the exit code of what failed."""

    def __init__(self, first: int, name: str, error: OfRows) -> None:
        last = first + error.rows - 1
        rows = f"Rows {first} to {last} of " if last > first else f"Row {first} of " if last == first else ""
        super().__init__(f"{rows}{name}: {error}")
        self.exit_code = error.exit_code


@dataclass(frozen=True)
class Rest:
    """The blocks of an input, of which some are done; `name` is that of a single input."""

    blocks: Blocks
    name: str
    done: dict[int, Kept] = field(default_factory=dict)

    def read(self) -> Iterator[Block]:
        """Yield the blocks that are not done, in order; those before the first of them are not read."""
        done = dict(self.done)
        number, place = 0, BEGINNING
        while number in done:
            number, place = number + 1, done[number].behind
        return (block for block in self.blocks.read(place) if block.number not in done)

    def take(self, block: Block, rows: int) -> None:
        """Note that a block of so many rows is done."""
        self.done[block.number] = Kept(rows, block.behind)

    def failure(self, block: Block, error: OfRows) -> InBlock:
        """Return the failure of a block, before which all are done, with the rows of its file."""
        before = (kept.rows for number, kept in self.done.items() if number < block.number and _is_beside(kept, block))
        return InBlock(sum(before) + 1, block.source or self.name, error)

    @property
    def rows(self) -> int:
        """How many rows are done."""
        return sum(kept.rows for kept in self.done.values())

    @property
    def rejected(self) -> int:
        """How many of them were rejected."""
        return sum(kept.rejected for kept in self.done.values())

    def check(self) -> None:
        """Refuse to end with other rows than the look at the input has found."""
        expected = self.blocks.rows
        if expected is not None and self.rows != expected:
            raise RunnerError(f"{self.rows} rows were read, expected the {expected} that were there before")


def _is_beside(kept: Kept, block: Block) -> bool:
    """Say whether two blocks are of the same file."""
    return kept.behind.files == block.behind.files
