"""What one run of the benchmark does, read from its arguments."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.models import MODELS
from benchmarks.processes import ROOT
from benchmarks.serving import CASES, LARGE, Case

NAMES = ("floor", "reference", "drum", "other")
# They make a forest of 200 MB.
FOREST_ROWS = 110_000
REQUESTS = 1_000

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Plan:
    """Who takes part, with which models and HTTP cases, how often, how long, and on how many rows.

    `requests` are sent one after the other to each worker of those that share a forest, which was fitted on
    `forest_rows`.
    """

    contestants: tuple[str, ...]
    models: tuple[str, ...]
    cases: tuple[Case, ...]
    rounds: int
    seconds: float
    rows: int
    forest_rows: int
    requests: int
    drums: Mapping[str, Path]
    results: Path


def read(arguments: Sequence[str] | None = None) -> Plan:
    """Return the plan that the arguments describe; wrong ones end the program with code 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if "other" in (options.contestants or ()) and options.other is None:
        parser.error("the contestant 'other' needs --other PATH")
    everyone = [name for name in NAMES if name != "other" or options.other]
    contestants = tuple(dict.fromkeys(options.contestants or everyone))
    paths = {"drum": options.drum, "other": options.other}
    return Plan(
        contestants=contestants,
        models=("reg",) if options.quick else tuple(dict.fromkeys(options.models)),
        cases=CASES if options.quick else (*CASES, LARGE),
        rounds=1 if options.quick else options.rounds,
        seconds=0.1 if options.quick else options.seconds,
        rows=2_000 if options.quick else options.rows,
        forest_rows=2_000 if options.quick else FOREST_ROWS,
        requests=10 if options.quick else REQUESTS,
        # Contestants run in the folder of the project, so relative paths would change their meaning.
        drums={name: path.absolute() for name, path in paths.items() if name in contestants},
        results=options.results,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure `drum` against a bare floor and an ordinary script, in interleaved rounds.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=_positive(int), default=5, metavar="N", help="interleaved rounds")
    add("--seconds", type=_positive(float), default=0.5, metavar="S", help="length of an HTTP case per round")
    add(
        "--rows",
        type=_positive(int),
        default=1_000_000,
        metavar="N",
        help="rows of the batch file; ten times as many for reg, too",
    )
    add("--models", nargs="+", choices=MODELS, default=list(MODELS), help="models to run")
    add("--contestants", nargs="+", choices=NAMES, help="who takes part; None means everyone")
    add("--drum", type=Path, default=_beside_python("drum"), metavar="PATH", help="the `drum` to measure")
    add("--other", type=Path, metavar="PATH", help="another `drum` executable to compare with")
    add("--quick", action="store_true", help="one short round of one model: shows that it runs, no more")
    add("--results", type=Path, default=ROOT / "benchmarks/results", metavar="DIR", help="for the JSON")
    return parser


def _positive(parse: Callable[[str], Number]) -> Callable[[str], Number]:
    def number(text: str) -> Number:
        value = parse(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    return number


def _beside_python(name: str) -> Path:
    return Path(sys.executable).with_name(name)
