"""An input as blocks of rows, each small enough to be held and read by itself with the types of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from custom_model_runner.data.payload import Payload

# What a block holds by default, about: enough that calls of the model cost little, and a few of them little memory.
BLOCK_BYTES = 2 << 20


@dataclass(frozen=True)
class Limits:
    """How many bytes a compressed input may decode to, a table may take, and a block has if its rows are not given."""

    decoded: int
    table: int
    block: int


@dataclass(frozen=True)
class Block:
    """Some rows: their number among the blocks, counted from 0, their bytes, and the line in which they begin.

    `source` names the file that they are of, where there are several.
    """

    number: int
    data: bytes
    first_line: int | None = None
    source: str | None = None


@dataclass(frozen=True)
class Blocks:
    """An input in blocks: the media type of each, the types of its columns, how many rows it has if that is known.

    `read` yields the blocks in order, from the first, whenever it is called; a pipe can be read once. `columns` is what
    other files must have, too, to be read with it, and `facts` what the columns of text hold.
    """

    media_type: str
    types: Mapping[str, str] | None
    limit: int
    rows: int | None
    read: Callable[[], Iterator[Block]]
    columns: object = None
    facts: Mapping[str, int] | None = None

    def payload(self, block: Block) -> Payload:
        """Return what a table is read from."""
        return Payload(block.data, self.media_type, types=self.types, limit=self.limit, first_line=block.first_line)


@dataclass(frozen=True)
class Whole:
    """An input that is handed over as a whole: what was read of it already, all if it ended, and why, if that is odd.

    `data` is None where the file is to be read from its beginning.
    """

    data: bytes | None = None
    reason: str | None = None
