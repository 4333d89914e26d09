"""Where segments wait until all are there: files in a folder, one for each, named by their numbers."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from custom_model_runner.batch import sinks
from custom_model_runner.batch.blocks import Block, Place
from custom_model_runner.batch.segments import Segment
from custom_model_runner.errors import RunnerError

SUFFIX = ".segment"


@dataclass(frozen=True)
class Kept:
    """A segment that is there: the rows of its block, where the next block begins, and how many rows were rejected.

    `head` is that of the segment if this was verified and there are rows.
    """

    rows: int
    behind: Place
    rejected: int = 0
    head: bytes = b""


@dataclass(frozen=True)
class Store:
    """A folder of segments, the first with the number 0; each is there as a whole when it has its name.

    A segment follows a line of JSON: what `Kept` has, the length of the rest and its CRC-32, which tells whether after
    a loss of power more is there than its name.
    """

    folder: Path

    def add(self, block: Block, segment: Segment) -> None:
        """Keep a segment: it survives the end of this process at once, and that of the machine when the system likes.

        The disk is not waited for: what is lost with the machine is made again.
        """
        path, data = self._path(block.number), segment.to_bytes()
        with sinks.told(self.folder):
            sinks.place(path, _line(segment, block.behind, data) + data)

    def added(self, found: Iterable[tuple[Block, Segment]]) -> Iterator[tuple[Block, Segment]]:
        """Yield blocks and their segments, each when it is kept, and before the next one is asked for."""
        for block, segment in found:
            self.add(block, segment)
            yield block, segment

    def kept(self, *, verifies: bool = False) -> dict[int, Kept]:
        """Return what there is, by number; verified means read to the end."""
        heads: dict[bytes, bytes] = {}
        found = {int(path.stem): _kept(path, heads, verifies=verifies) for path in self.folder.glob(f"*{SUFFIX}")}
        return {number: kept for number, kept in found.items() if kept is not None}

    def segments(self, count: int) -> Iterator[Segment]:
        """Yield so many segments in order."""
        for number in range(count):
            with self._path(number).open("rb") as file:
                line, data = file.readline(), file.read()
            _check(line, data, file.name)
            yield Segment.from_bytes(data)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}{SUFFIX}"


def _line(segment: Segment, behind: Place, data: bytes) -> bytes:
    facts = {"rows": segment.read, "rejected": segment.rejected, "behind": vars(behind)}
    return json.dumps({**facts, "length": len(data), "crc": zlib.crc32(data)}).encode() + b"\n"


def _check(line: bytes, data: bytes, name: str) -> None:
    """Refuse to make a file of what has changed since it was found to be there."""
    try:
        is_whole = json.loads(line)["crc"] == zlib.crc32(data)
    except (ValueError, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        raise RunnerError(f"{name!r} is damaged, expected what was kept there; --resume makes it anew")


def _kept(path: Path, heads: dict[bytes, bytes], *, verifies: bool) -> Kept | None:
    """Return what is in a file, None if it is not all there; heads that are the same are held once."""
    with path.open("rb") as file:
        line = file.readline()
        try:
            facts = json.loads(line)
            is_whole = path.stat().st_size == len(line) + facts["length"]
            kept = Kept(facts["rows"], Place(**facts["behind"]), facts["rejected"])
            if not is_whole or not verifies:
                return kept if is_whole else None
            data = file.read()
            if zlib.crc32(data) != facts["crc"]:
                return None
            segment = Segment.from_bytes(data)
            return replace(kept, head=heads.setdefault(segment.head, segment.head) if segment.rows else b"")
        except (ValueError, KeyError, TypeError):
            return None
