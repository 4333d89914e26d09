"""An input as blocks of rows, each small enough to be held and read by itself with the types of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custom_model_runner.data.payload import WIDE, Payload

# What a block holds by default, about: enough that calls of the model cost little, and a few of them little memory.
BLOCK_BYTES = 2 << 20
# How many times that a block holds at most, however wide it is.
MOST_WIDTHS = 32


@dataclass(frozen=True)
class Limits:
    """How many bytes a compressed input may decode to, a table may take, and a block has if it is not wide."""

    decoded: int
    table: int
    block: int

    def block_rows(self, columns: int, row_bytes: float) -> int:
        """Return how many rows of such a width and length make a block: wide ones some hundred, as far as they may."""
        widths = min(max(columns / WIDE, 1), MOST_WIDTHS)
        return max(int(self.block * widths / max(row_bytes, 1)), 1)


@dataclass(frozen=True)
class Place:
    """How far blocks have come: the number of the next one, files that are done, how far into a file, the line there.

    In text that counts decoded bytes behind the header, in columnar files rows.
    """

    number: int = 0
    files: int = 0
    offset: int = 0
    line: int | None = None


BEGINNING = Place()


@dataclass(frozen=True)
class Block:
    """Some rows: their number among the blocks, counted from 0, their bytes, and the line in which they begin.

    `source` names the file that they are of, where there are several; `behind` is where the next block begins.
    """

    number: int
    data: bytes
    first_line: int | None = None
    source: str | None = None
    behind: Place = BEGINNING


@dataclass(frozen=True)
class Blocks:
    """An input in blocks: the media type of each, the types of its columns, how many rows it has if that is known.

    `read` yields the blocks in order, from a place on, whenever it is called; a pipe can be read once, from its
    beginning. `columns`, names and types, are what other files must have, too, to be read with it, `facts` what the
    columns of text hold, and `cuts` how each file is cut, by which it is cut again without a look at it. Where
    `is_expected`, some of the rows have told the types, and what a column holds elsewhere may contradict them.
    """

    media_type: str
    types: Mapping[str, str] | None
    limit: int
    rows: int | None
    read: Callable[[Place], Iterator[Block]]
    columns: Sequence[tuple[str, str]] | None = None
    facts: Mapping[str, int] | None = None
    cuts: Sequence[Mapping[str, Any]] = ()
    is_expected: bool = False

    @property
    def known(self) -> dict[str, Any]:
        """What is found by a look at the input, such that JSON knows."""
        names = ("media_type", "types", "rows", "cuts", "is_expected")
        return {name: getattr(self, name) for name in names}

    def payload(self, block: Block) -> Payload:
        """Return what a table is read from."""
        return Payload(
            block.data,
            self.media_type,
            types=self.types,
            has_expected_types=self.is_expected,
            limit=self.limit,
            first_line=block.first_line,
        )


@dataclass(frozen=True)
class Whole:
    """An input that is handed over as a whole: what was read of it already, all if it ended, and why, if that is odd.

    `data` is None where the file is to be read from its beginning.
    """

    data: bytes | None = None
    reason: str | None = None
