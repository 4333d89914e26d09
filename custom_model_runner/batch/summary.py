"""What is told of a batch that went well: one line of JSON (`--summary`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from custom_model_runner.addresses import Address
from custom_model_runner.batch import sinks
from custom_model_runner.batch.tally import Tally
from custom_model_runner.errors import RunnerError, UsageError

# Standard error, for what a flag without a value means.
HERE = ""
STANDARD_OUTPUT = "-"


def check(place: str | None, output: Path | Address | None, source: str, *, rejects: Path | None = None) -> None:
    """Refuse a place that is the input's, the results' or the rejected rows', before anything is read or written."""
    if place == STANDARD_OUTPUT and output is None:
        raise UsageError("--summary: results go to standard output; expected a file, or --output FILE for the results")
    if place in (None, HERE, STANDARD_OUTPUT):
        return
    path = sinks.choose(Path(str(place)), source, flag="--summary")
    for what, other in (("the output", output), ("the file of --rejects", rejects)):
        if path is not None and isinstance(other, Path) and path.resolve() == other.resolve():
            raise UsageError(f"--summary: {place!r} is {what} itself")


def text(tally: Tally) -> str:
    """Return what was counted, as one line; seconds and rows per second are those of the whole run."""
    stages = tally.stages.seconds()
    seconds = sum(stages.values())
    facts = {
        "rows": tally.rows + tally.resumed_rows,
        "resumed_rows": tally.resumed_rows,
        "rejected_rows": tally.rejected_rows,
        "blocks": tally.blocks,
        "seconds": round(seconds, 3),
        "rows_per_second": round(tally.rows / seconds, 1),
        "bytes_in": tally.bytes_in,
        "bytes_out": tally.bytes_out,
        "peak_memory_bytes": tally.peak_memory,
        "stages": {name: round(taken, 3) for name, taken in stages.items()},
    }
    return f"{json.dumps(facts)}\n"


def write(place: str, tally: Tally, *, stdout: int) -> None:
    """Write the summary to its place, which was checked; to standard error as the last line."""
    if place == HERE:
        sys.stderr.write(text(tally))
        return
    try:
        _write(place, text(tally).encode(), stdout)
    except RunnerError as error:
        raise RunnerError(f"{error}; the results are complete") from error


def _write(place: str, line: bytes, stdout: int) -> None:
    if place == STANDARD_OUTPUT:
        sinks.emit(None, line, stdout=stdout)
        return
    with sinks.replacing(Path(place), flag="--summary") as file:
        file.write(line)
