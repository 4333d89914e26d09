"""Medians and ratios."""

from __future__ import annotations

import pytest

from benchmarks.samples import Line, Sample, percentile, summarise


def sample(contestant: str, number: int, seconds: float, *, case: str = "a case") -> Sample:
    return Sample("batch", case, contestant, number, {"wall_seconds": seconds})


def line_of(contestant: str, samples: list[Sample], *baselines: str) -> Line:
    return next(line for line in summarise(samples, baselines) if line.contestant == contestant)


def test_the_median_and_the_range_are_taken_over_the_rounds() -> None:
    samples = [sample("drum", number, seconds) for number, seconds in enumerate((9.0, 1.0, 2.0))]
    line = line_of("drum", samples)
    assert line.medians == {"wall_seconds": 2.0}
    assert line.ranges == {"wall_seconds": (1.0, 9.0)}


def test_a_ratio_compares_within_a_round_so_that_a_slow_spell_cancels_out() -> None:
    samples = [sample("drum", number, seconds) for number, seconds in enumerate((1.0, 2.0, 30.0))]
    samples += [sample("floor", number, seconds) for number, seconds in enumerate((2.0, 40.0, 60.0))]
    assert line_of("drum", samples, "floor").ratios == {"floor": {"wall_seconds": 0.5}}


def test_a_baseline_that_did_not_take_part_gives_no_ratio() -> None:
    assert line_of("drum", [sample("drum", 1, 1.0)], "other").ratios == {"other": {}}


def test_a_baseline_of_zero_gives_no_ratio() -> None:
    samples = [sample("drum", 1, 1.0), sample("floor", 1, 0.0)]
    assert line_of("drum", samples, "floor").ratios == {"floor": {}}


def test_a_case_is_compared_with_the_same_case_only() -> None:
    samples = [sample("drum", 1, 3.0), sample("floor", 1, 2.0), sample("floor", 1, 100.0, case="another")]
    assert line_of("drum", samples, "floor").ratios["floor"] == {"wall_seconds": 1.5}


def test_the_contestants_of_a_case_stand_together() -> None:
    samples = [sample(name, 1, 1.0, case=case) for name in ("floor", "drum") for case in ("1 row", "100 rows")]
    lines = [(line.case, line.contestant) for line in summarise(samples, ())]
    assert lines == [("1 row", "floor"), ("1 row", "drum"), ("100 rows", "floor"), ("100 rows", "drum")]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected
