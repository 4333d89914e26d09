"""Where the segments of a batch go: into the folder of which a file is made, or out as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import logs
from custom_model_runner.addresses import Address
from custom_model_runner.batch import preview, rejects, segments, sinks
from custom_model_runner.batch.partial import Partial
from custom_model_runner.batch.rest import Rest
from custom_model_runner.batch.segments import AllRejected, Form, Segment
from custom_model_runner.batch.tally import Tally

Note = Callable[[Segment], None]


@dataclass(frozen=True)
class Target:
    """Where results go: a file, here or in a storage, else a descriptor of standard output, which may be a terminal."""

    output: Path | Address | None
    stdout: int
    for_terminal: bool


@dataclass(frozen=True)
class Output:
    """A target, how segments become a file, who counts them, and what else there is.

    `partial` is where the parts of a file are kept, `rejects` the file of rejected rows.
    """

    target: Target
    form: Form
    tally: Tally
    partial: Partial | None
    rejects: Path | None

    def keep(self, found: Iterator[Segment]) -> None:
        """Count segments that are kept as they are made."""
        deque(self.tally.counted(self._warned(found)), maxlen=0)

    def show(self, found: Iterator[Segment], rest: Rest) -> None:
        """Write segments to a device, a pipe, a storage or standard output as they come; check that all are there."""
        with sinks.live(self.target.output, self.target.stdout) as file, self._rejecting() as note:
            counted = _noted(self.tally.counted(self._warned(found)), note)
            if self.target.for_terminal:
                file.write(preview.of_segments(counted))
            else:
                self.tally.writing(self.form).assemble(counted, file, b"")
            # Before a storage completes what it got.
            rest.check()

    def _warned(self, found: Iterator[Segment]) -> Iterator[Segment]:
        """Yield segments; if all rows of the first are rejected that is told when another is there.

        Without others, the failure that follows tells it.
        """
        tally, rejected = self.tally, None
        for segment in found:
            if rejected is not None:
                reason = segments.first_reason(rejected.rejects)
                logs.notice(f"all {rejected.read} rows of the first block were rejected; the first because: {reason}")
            is_first = not (tally.blocks or tally.resumed_rows or tally.rejected_rows)
            rejected = segment if is_first and 0 < segment.rejected == segment.read else None
            yield segment

    def finish(self, rest: Rest) -> None:
        """Check that all rows are there, and make the file of them."""
        rest.check()
        if self.partial is not None:
            # The rejected rows have their file before the output is there.
            with self.partial.replacing() as file, self._rejecting() as note:
                found = _noted(self.partial.store.segments(rest.count), note)
                self.tally.writing(self.form).assemble(found, file, rest.head)

    def write(self, data: bytes) -> None:
        """Write results that are there as a whole."""
        self.tally.bytes_out = len(data)
        target = self.target
        with sinks.live(target.output, target.stdout) if self.partial is None else self.partial.replacing() as file:
            file.write(data)

    @contextmanager
    def _rejecting(self) -> Iterator[Note]:
        """Give what is told of all segments in order; rejected rows have their file even if there are no others."""
        path, failure = self.rejects, None
        if path is None:
            yield lambda _: None
            return
        with (
            sinks.replacing(path, flag="--rejects") as file,
            rejects.writing(file, rejects.form_of(path)) as note,
        ):
            try:
                yield note
            except AllRejected as error:
                failure = error
        if count := self.tally.rejected_rows:
            logs.notice(f"{count} {'row was' if count == 1 else 'rows were'} rejected, see {str(path)!r}")
        if failure is not None:
            raise failure


def _noted(found: Iterator[Segment], note: Note) -> Iterator[Segment]:
    for segment in found:
        note(segment)
        yield segment
