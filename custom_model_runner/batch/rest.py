"""What of an input is still to be predicted, and how many rows were done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from custom_model_runner.batch.blocks import BEGINNING, Block, Blocks, Place
from custom_model_runner.batch.heads import Unlike
from custom_model_runner.batch.segments import AllRejected, Segment
from custom_model_runner.batch.steady import Changed
from custom_model_runner.batch.store import Kept
from custom_model_runner.errors import BaseCustomUserError, InputError, RunnerError


class InFile(RunnerError):
    """A failure to read one of several files, with the exit code of what failed."""

    def __init__(self, source: str, error: RunnerError) -> None:
        super().__init__(f"{source}: {error}")
        self.exit_code = error.exit_code


class OfRows(RunnerError):
    """A failure of so many rows of a block, behind so many others, with the exit code of what failed.

    If it `comes_again`, it would be the same in a run that goes on.
    """

    def __init__(
        self, rows: int, error: RunnerError | BaseCustomUserError, *, before: int = 0, comes_again: bool = False
    ) -> None:
        super().__init__(*(error.args if isinstance(error, RunnerError) else (str(error),)))
        self.rows = rows
        self.before = before
        self.comes_again = comes_again
        self.exit_code = error.exit_code


class InBlock(RunnerError):
    """A failure of some rows of an input, which it names, with the exit code of what failed.

    `before` is how many rows stand before their block.
    """

    def __init__(self, before: int, name: str, error: OfRows) -> None:
        before += error.before
        first, last = before + 1, before + error.rows
        rows = f"Rows {first} to {last} of " if last > first else f"Row {first} of " if last == first else ""
        super().__init__(f"{rows}{name}: {error.told(before)}")
        self.comes_again = error.comes_again
        self.exit_code = error.exit_code


def comes_again(error: BaseException) -> bool:
    """Say whether a failure would be the same in a run that goes on, as of an input that is broken."""
    if isinstance(error, InBlock):
        return error.comes_again
    found = error.__cause__ if isinstance(error, InFile) else error
    return isinstance(found, (AllRejected, Changed, Unlike)) or type(found) is InputError


@dataclass
class Rest:
    """The blocks of an input, of which some were done before; `name` is that of a single input.

    Of those that this run does only their number and the rows of each file are kept: there may be no end to them.
    `head` is that of all segments, such as `join` makes of them; `passed` is told how far the blocks are done.
    """

    blocks: Blocks
    name: str
    before: Mapping[int, Kept]
    join: Callable[[bytes, bytes], bytes]
    passed: Callable[[Place], None] = lambda _: None
    head: bytes = b""
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
        self.passed(block.behind)

    def failure(self, block: Block, error: OfRows) -> InBlock:
        """Return the failure of a block, before which all are done, with the rows of its file."""
        return self._failure(block, error, self._rows[block.behind.files])

    def _failure(self, block: Block, error: OfRows, rows: int) -> InBlock:
        beside = (kept for number, kept in self.before.items() if number < block.number)
        rows += sum(kept.rows for kept in beside if kept.behind.files == block.behind.files)
        return InBlock(rows, block.source or self.name, error)

    def alike(self, found: Iterable[tuple[Block, Segment]]) -> Iterator[Segment]:
        """Yield the segments of blocks, as long as their columns go together with those before.

        They may come later than the blocks are taken.
        """
        for number in sorted(self.before):
            self._join(self.before[number].head)
        rows: Counter[int] = Counter()
        for block, segment in found:
            try:
                self._join(segment.head if segment.rows else b"")
            except Unlike as error:
                failure = OfRows(segment.read, error, comes_again=True)
                raise self._failure(block, failure, rows[block.behind.files]) from error
            yield segment
            rows[block.behind.files] += segment.read

    def _join(self, head: bytes) -> None:
        self.head = self.join(self.head, head) if self.head and head else self.head or head

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
