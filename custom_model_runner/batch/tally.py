"""How far a batch is: what was counted, and how long its stages took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, cast

from custom_model_runner.batch.blocks import Place
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.data.compression import Readable
from custom_model_runner.data.observation import Observation
from custom_model_runner.data.stages import Stages

# What follows the load is the rest of a look at the input, which begins with it.
LOAD, LOOK, PREDICT, WRITE = "load", "look", "predict", "write"
# Of a number that is an estimate.
DIGITS = 3


@dataclass
class Tally:
    """What was counted so far; bytes are those of files and pipes, memory is that of all processes together.

    `total` is how many rows there are, if that is known; those of an earlier run that this one goes on with are apart.
    Where only the bytes of them are known, as `text_bytes`, those that are done tell `about` how many there are.
    """

    rows: int = 0
    blocks: int = 0
    rejected_rows: int = 0
    resumed_rows: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    memory: int = 0
    peak_memory: int = 0
    total: int | None = None
    text_bytes: int = 0
    done_bytes: int = 0
    stages: Stages = field(default_factory=Stages)

    def counted(self, segments: Iterator[Segment]) -> Iterator[Segment]:
        """Yield the segments of all blocks, counted; predicting is over when there are no more."""
        for segment in segments:
            self.rows += segment.read - segment.rejected
            self.rejected_rows += segment.rejected
            self.blocks += 1
            yield segment
        self.stages.end(PREDICT)

    def observe(self, observation: Observation) -> None:
        """Count a call for an input that is handed over as a whole."""
        self.rows += observation.rows
        self.blocks += 1

    def reading(self, source: Readable) -> Readable:
        """Return a source whose bytes are counted."""
        return _Read(source, self)

    def writing(self, form: Form) -> Form:
        """Return a form whose bytes are counted as they are written."""

        def assemble(found: Iterator[Segment], out: BinaryIO, head: bytes) -> None:
            form.assemble(found, cast("BinaryIO", _Written(out, self)), head)

        return replace(form, assemble=assemble)

    def passed(self, place: Place) -> None:
        """Note how far a text is done."""
        self.done_bytes = place.offset

    @property
    def done(self) -> int:
        """How many rows are done."""
        return self.rows + self.resumed_rows + self.rejected_rows

    @property
    def about(self) -> int | None:
        """How many rows there are, about: in three digits, None as long as nothing tells."""
        if not (self.text_bytes and self.done_bytes):
            return None
        found = max(self.done * self.text_bytes // self.done_bytes, self.done)
        return round(found, DIGITS - len(str(found)))

    def begin_anew(self) -> None:
        """Forget the rows that were counted; what they took stays."""
        self.stages.end(PREDICT)
        self.rows = self.blocks = self.rejected_rows = self.resumed_rows = 0
        self.total, self.text_bytes, self.done_bytes = None, 0, 0

    def note_memory(self, memory: int) -> None:
        """Note what all processes take now."""
        self.memory, self.peak_memory = memory, max(memory, self.peak_memory)


class _Read:
    def __init__(self, source: Readable, tally: Tally) -> None:
        self._source = source
        self._tally = tally

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._tally.bytes_in += len(data)
        return data


class _Written:
    def __init__(self, file: BinaryIO, tally: Tally) -> None:
        self._file = file
        self._tally = tally
        self.flush, self.close = file.flush, file.close

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        self._tally.bytes_out += len(data)
        return self._file.write(data)
