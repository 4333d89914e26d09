"""What of an input is still to be predicted, and how many rows were done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
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


@dataclass
class Rest:
    """The blocks of an input, of which some were done before; `name` is that of a single input.

    Of those that this run does only their number and the rows of each file are kept: there may be no end to them.
    """

    blocks: Blocks
    name: str
    before: Mapping[int, Kept] = field(default_factory=dict)
    _taken: int = 0
    _rows: Counter[int] = field(default_factory=Counter)

    def read(self) -> Iterator[Block]:
        """Yield the blocks that are not done, in order; those before the first of them are not read."""
        number, place = 0, BEGINNING
        while number in self.before:
            number, place = number + 1, self.before[number].behind
        return (block for block in self.blocks.read(place) if block.number not in self.before)

    def take(self, block: Block, rows: int) -> None:
        """Note that a block of so many rows, the next one that was not done, is done."""
        self._taken += 1
        self._rows[block.behind.files] += rows

    def failure(self, block: Block, error: OfRows) -> InBlock:
        """Return the failure of a block, before which all are done, with the rows of its file."""
        beside = (kept for number, kept in self.before.items() if number < block.number)
        rows = sum(kept.rows for kept in beside if kept.behind.files == block.behind.files)
        return InBlock(rows + self._rows[block.behind.files] + 1, block.source or self.name, error)

    @property
    def count(self) -> int:
        """How many blocks are done."""
        return len(self.before) + self._taken

    @property
    def rows(self) -> int:
        """How many rows are done."""
        return sum(kept.rows for kept in self.before.values()) + self._rows.total()

    @property
    def rejected(self) -> int:
        """How many rows were rejected before."""
        return sum(kept.rejected for kept in self.before.values())

    def check(self) -> None:
        """Refuse to end with other rows than the look at the input has found."""
        expected = self.blocks.rows
        if expected is not None and self.rows != expected:
            raise RunnerError(f"{self.rows} rows were read, expected the {expected} that were there before")
