"""What is to be reached, against the original with as many workers, and whether it was.

The original is not here. It was measured once, beside a program like our floor, on a machine of two cores; `Factor`
makes of those figures what the original would be beside our reference. docs/benchmarks.md has them all, and what is
assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import batch, serving, startup, workers
from benchmarks.contestants import TWO_WORKERS
from benchmarks.samples import Place, Sample, figures_at, quotient

SPEED, WALL, PEAK = "requests_per_second", "wall_seconds", "peak_bytes"
MEGABYTE = 1e6


@dataclass(frozen=True)
class Factor:
    """How the original's figure follows from the reference's: what it was to the floor's then, both in one case."""

    original_to_floor: float
    section: str
    case: str
    figure: str

    def of(self, samples: Sequence[Sample]) -> float | None:
        """Return the original's figure divided by the reference's, by this run."""
        reference, floor = (Place(self.section, self.case, name, self.figure) for name in ("reference", "floor"))
        found = quotient(samples, reference, floor)
        return None if found is None else self.original_to_floor / found


@dataclass(frozen=True)
class Target:
    """A bound for a figure, or for its quotient with another; `aim` goes beyond `must`, and either may be None.

    `factor` is what that other figure is to be multiplied with: a number that is known, or one that the run tells.
    """

    what: str
    ours: Place
    other: Place | None
    must: float | None
    aim: float | None
    factor: Factor | float = 1.0
    unit: float = 1.0

    @property
    def more_is_better(self) -> bool:
        """Say whether bounds are the least that is enough."""
        return self.ours.figure == SPEED


@dataclass(frozen=True)
class Verdict:
    """What was measured for a target, the factor, and the result that its bounds are for; None where it was not."""

    target: Target
    measured: float | None
    factor: float | None

    @property
    def result(self) -> float | None:
        """Return what the bounds are compared with."""
        return None if self.measured is None or self.factor is None else self.measured / self.factor

    @property
    def word(self) -> str:
        """Say it in a word or two."""
        if self.result is None:
            return "not measured"
        if self._keeps(self.target.aim, self.result):
            return "aim reached"
        if self.target.must is None:
            return "aim missed"
        return "must held" if self._keeps(self.target.must, self.result) else "MUST MISSED"

    def _keeps(self, bound: float | None, result: float) -> bool:
        if bound is None:
            return False
        return result >= bound if self.target.more_is_better else result <= bound


def judge(samples: Sequence[Sample], *, rows: int) -> list[Verdict]:
    """Return a verdict for each target; `rows` are those of the batch file of all models."""
    return [_judge(target, samples) for target in targets(rows)]


def _judge(target: Target, samples: Sequence[Sample]) -> Verdict:
    if target.other is not None:
        measured = quotient(samples, target.ours, target.other)
    else:
        found = figures_at(samples, target.ours).values()
        measured = median(found) / target.unit if found else None
    factor = target.factor.of(samples) if isinstance(target.factor, Factor) else target.factor
    return Verdict(target, measured, factor)


def targets(rows: int) -> list[Target]:
    """Return all that is to be reached; the batch file of all models has so many rows."""
    peak = Factor(838 / 401, "batch", batch.case("reg", rows), PEAK)
    return [*_http(peak), *_batch(rows, peak), *_start()]


def _against(
    what: str, section: str, case: str, figure: str, *, must: float, aim: float | None, factor: Factor | float = 1.0
) -> Target:
    """Return a target whose bounds are for the quotient with the original."""
    ours, reference = (Place(section, case, name, figure) for name in ("drum", "reference"))
    return Target(what, ours, reference, must, aim, factor)


def _http(peak: Factor) -> list[Target]:
    one_row = Factor(255 / 642, "http", "reg, 1 row, c1", SPEED)
    hundred = Factor(238 / 436, "http", "reg, 100 rows, c1", SPEED)
    many = Factor(45 / 86, "http", "reg, 10k rows, c1", SPEED)
    large = Factor(4.1 / 4.9, "http", "reg, 200k rows, c1", SPEED)
    speed = partial(_against, section="http", figure=SPEED)
    two = serving.TWO_WORKERS.name
    return [
        speed("1 row, c1: requests/s", case="reg, 1 row, c1", must=3, aim=6, factor=one_row),
        speed("1 row, c1, transform hook: requests/s", case="hook, 1 row, c1", must=2, aim=2.5, factor=one_row),
        speed("1 row, c8, 2 workers: requests/s", case=f"reg, {two}", must=2.5, aim=4, factor=one_row),
        speed("100 rows, c1: requests/s", case="reg, 100 rows, c1", must=2, aim=3, factor=hundred),
        speed("10k rows, c1: requests/s", case="reg, 10k rows, c1", must=1.7, aim=2.3, factor=many),
        speed("200k rows, c1: requests/s", case="reg, 200k rows, c1", must=1.2, aim=2, factor=large),
        _against("200k rows, c1: peak memory", "http", "reg, 200k rows, c1", PEAK, must=0.7, aim=None, factor=peak),
        speed("bin, 1 row, c8, 2 workers: requests/s", case=f"bin, {two}", must=3, aim=6),
    ]


def _batch(rows: int, peak: Factor) -> list[Target]:
    case, many = batch.case("reg", rows), rows * batch.MANY
    wall = Factor(4.9 / 3.5, "batch", case, WALL)
    csv, csv_of_many, parquet_of_many = (
        partial(Place, "batch", name, "drum")
        for name in (case, batch.case(batch.WITH_MANY, many), batch.case(batch.WITH_MANY, many, ".parquet"))
    )
    reference, two_workers = (partial(Place, "batch", case, name) for name in ("reference", TWO_WORKERS))
    return [
        Target("batch: seconds", csv(WALL), reference(WALL), 0.7, 0.45, wall),
        Target("batch, 2 workers: seconds", two_workers(WALL), reference(WALL), 0.7, 0.45, wall),
        Target("batch: peak memory", csv(PEAK), reference(PEAK), 0.4, 0.25, peak),
        Target("batch, 2 workers: peak memory", two_workers(PEAK), reference(PEAK), 0.4, 0.25, peak),
        Target("batch, 10 times the rows: peak memory", csv_of_many(PEAK), csv(PEAK), 1.1, None),
        Target(
            "batch, Parquet in and out, 10 times the rows: seconds", parquet_of_many(WALL), csv_of_many(WALL), 0.5, None
        ),
    ]


def _start() -> list[Target]:
    cold = "reg, workers: 1"
    command = partial(Place, "command line", "start to end", figure=WALL)
    floor, ours = (Place("cold start", cold, name, WALL) for name in ("floor", "drum"))
    start = Factor(3.5 / 1.35, "cold start", cold, WALL)
    # The original's `--help` took so many times what a bare Python did.
    to_bare = 1.41 / 0.015
    one_more = Place("workers", workers.ONE_MORE, "drum", "memory_bytes")
    return [
        _against("cold start: seconds", "cold start", cold, WALL, must=0.5, aim=None, factor=start),
        Target("cold start, beside the floor's", ours, floor, None, 1.1),
        Target("drum --help: seconds", command("drum --help"), command(startup.BARE), 0.1, None, to_bare),
        Target("drum --help: ms", command("drum --help"), None, None, 80, unit=1e-3),
        Target("one more worker: MB", one_more, None, 30, 15, unit=MEGABYTE),
    ]
