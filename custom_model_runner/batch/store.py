"""Where segments wait until all are there: files beside the output, one for each, named by their numbers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.batch.segments import Segment
from custom_model_runner.errors import RunnerError


@dataclass(frozen=True)
class Store:
    """A folder of segments, the first with the number 0; each is there as a whole when it has its name."""

    folder: Path

    def add(self, number: int, segment: Segment) -> None:
        """Keep a segment."""
        try:
            self._path(number).write_bytes(segment.to_bytes())
        except OSError as error:
            raise RunnerError(f"--output: {str(self.folder)!r} cannot be written: {error.strerror}") from error

    def segments(self, count: int) -> Iterator[Segment]:
        """Yield so many segments in order."""
        for number in range(count):
            yield Segment.from_bytes(self._path(number).read_bytes())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}.segment"


@contextmanager
def opened(output: Path) -> Iterator[Store]:
    """Make a store beside the file that will be assembled of it, and remove it in the end."""
    target = output.resolve()
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise RunnerError(f"--output: {str(output)!r} cannot be written: {error.strerror}") from error
    try:
        yield Store(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
