"""Batch rounds: each contestant scores the same file in turn."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks import agreement, tree
from benchmarks.contestants import Contestant
from benchmarks.models import BenchModel, write_rows
from benchmarks.processes import finish, started
from benchmarks.samples import Sample

MOST_SECONDS = 600.0
SAMPLING_SECONDS = 0.05
# So many times the rows have a case of their own, in which the start hardly counts.
MANY = 10
# The model with which they are scored.
WITH_MANY = "reg"


@dataclass(frozen=True)
class Input:
    """A file to score: its rows, and what a model's case with it is called."""

    path: Path
    rows: int

    def case(self, model: str) -> str:
        """Return the name of a case."""
        return case(model, self.rows, self.path.suffix)


def case(model: str, rows: int, suffix: str = ".csv") -> str:
    """Return the name of the case of a model, so many rows and a format, which is that of input and output."""
    return f"{model}, {rows:,} rows, {suffix[1:]}"


def shapes(model: str, rows: int) -> list[tuple[int, str]]:
    """Return rows and suffix of each file that a model scores."""
    sizes = [rows, rows * MANY] if model == WITH_MANY else [rows]
    return list(product(sizes, (".csv", ".parquet")))


def write_input(path: Path, rows: int) -> Input:
    """Write a file of so many rows, in the format that its suffix tells."""
    return Input(write_rows(path, rows), rows)


def measure(
    model: BenchModel, contestants: Sequence[Contestant], source: Input, *, round_number: int
) -> Iterator[Sample]:
    """Yield one round: a run of each contestant; all must predict the same."""
    predictions: dict[str, agreement.Floats] = {}
    for contestant in contestants:
        name = contestant.name
        target = model.folder.with_name(f"{model.name}_{name}{source.path.suffix}")
        figures = run(contestant.score(model, source.path, target), log=target.with_suffix(".log"))
        predictions[name] = agreement.from_file(target)
        target.unlink()
        agreement.check(predictions, rows=source.rows, what=f"{model.name} in batch")
        yield Sample("batch", source.case(model.name), name, round_number, figures)


def run(command: Sequence[str], *, log: Path) -> dict[str, float]:
    """Run a command to its end, and return what it took; a failure is an error with the end of its log."""
    cpu, begin = _cpu_of_ended_children(), time.perf_counter()
    with started(command, log=log) as process, tree.watch(process.pid, interval=SAMPLING_SECONDS) as peak:
        finish(process, most_seconds=MOST_SECONDS, log=log)
        wall = time.perf_counter() - begin
    cpu = _cpu_of_ended_children() - cpu
    return {"wall_seconds": wall, "cpu_seconds": cpu, "peak_bytes": peak.bytes}


def _cpu_of_ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
