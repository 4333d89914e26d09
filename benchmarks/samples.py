"""What was measured, and the medians and ratios made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Sample:
    """The figures of one contestant in one case of one round."""

    section: str
    case: str
    contestant: str
    round: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """One contestant in one case: medians and ranges over the rounds, each figure's ratio to each baseline."""

    section: str
    case: str
    contestant: str
    medians: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    ratios: Mapping[str, Mapping[str, float]]


def summarise(samples: Sequence[Sample], baselines: Iterable[str]) -> list[Line]:
    """Return one line per section, case and contestant, each in the order of its first sample."""
    baselines = tuple(baselines)
    contestants: dict[tuple[str, str], dict[str, None]] = {}
    for sample in samples:
        contestants.setdefault((sample.section, sample.case), {})[sample.contestant] = None
    return [_line(samples, *key, name, baselines) for key, names in contestants.items() for name in names]


@dataclass(frozen=True)
class Place:
    """Where a figure stands: whose it is, and in which case."""

    section: str
    case: str
    contestant: str
    figure: str


def figures_at(samples: Iterable[Sample], place: Place) -> dict[int, float]:
    """Return a figure by its round."""
    return {
        sample.round: sample.figures[place.figure]
        for sample in samples
        if (sample.section, sample.case, sample.contestant) == (place.section, place.case, place.contestant)
    }


def quotient(samples: Sequence[Sample], one: Place, other: Place) -> float | None:
    """Return the median of what the rounds give when one figure is divided by another, None if there are none."""
    ones, others = figures_at(samples, one), figures_at(samples, other)
    quotients = [ones[number] / others[number] for number in ones if others.get(number)]
    return median(quotients) if quotients else None


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _line(samples: Sequence[Sample], section: str, case: str, contestant: str, baselines: Sequence[str]) -> Line:
    rounds = _rounds(samples, section, case)
    own = [by_name[contestant] for by_name in rounds if contestant in by_name]
    medians = {figure: median(figures[figure] for figures in own) for figure in own[0]}
    ranges = {figure: _range([figures[figure] for figures in own]) for figure in own[0]}
    ratios = {
        baseline: {
            figure: ratio for figure in medians if (ratio := _ratio(rounds, figure, contestant, baseline)) is not None
        }
        for baseline in baselines
    }
    return Line(section, case, contestant, medians, ranges, ratios)


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _rounds(samples: Sequence[Sample], section: str, case: str) -> list[dict[str, Mapping[str, float]]]:
    rounds: dict[int, dict[str, Mapping[str, float]]] = {}
    for sample in samples:
        if (sample.section, sample.case) == (section, case):
            rounds.setdefault(sample.round, {})[sample.contestant] = sample.figures
    return list(rounds.values())


def _ratio(
    rounds: Sequence[Mapping[str, Mapping[str, float]]], figure: str, contestant: str, baseline: str
) -> float | None:
    # Within a round both met the same state of the machine, so the quotient is taken there.
    quotients = [
        by_name[contestant][figure] / by_name[baseline][figure]
        for by_name in rounds
        if contestant in by_name and by_name.get(baseline, {}).get(figure)
    ]
    return median(quotients) if quotients else None
