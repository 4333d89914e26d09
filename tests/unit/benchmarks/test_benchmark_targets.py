"""The verdicts, and the factor that makes the original of the reference."""

from __future__ import annotations

import pytest

from benchmarks import batch, plan, workers
from benchmarks.report import markdown
from benchmarks.samples import Place, Sample
from benchmarks.targets import SPEED, WALL, Factor, Target, Verdict, judge, targets


def scored(contestant: str, seconds: float, *, number: int = 1) -> Sample:
    return Sample("batch", "reg, 100 rows, csv", contestant, number, {WALL: seconds, "peak_bytes": 1e8})


def verdict(what: str, samples: list[Sample]) -> Verdict:
    (found,) = (verdict for verdict in judge(samples, rows=100) if verdict.target.what == what)
    return found


def test_the_original_is_to_the_reference_as_its_own_floor_and_ours_tell() -> None:
    # The original took 1.4 times what the floor took then, the reference takes 2.8 times: the original is half of it.
    found = verdict("batch: seconds", [scored("floor", 1.0), scored("reference", 2.8), scored("drum", 0.7)])
    assert found.measured == pytest.approx(0.25)
    assert found.factor == pytest.approx(0.5)
    assert found.result == pytest.approx(0.5)
    assert found.word == "must held"


@pytest.mark.parametrize(
    ("figure", "bounds", "result", "word"),
    [
        (SPEED, (3, 6), 6, "aim reached"),
        (SPEED, (3, 6), 5, "must held"),
        (SPEED, (3, 6), 2.9, "MUST MISSED"),
        (WALL, (0.7, 0.45), 0.4, "aim reached"),
        (WALL, (0.7, None), 0.4, "must held"),
        (WALL, (0.7, None), 0.8, "MUST MISSED"),
        (WALL, (None, 80), 90, "aim missed"),
        (WALL, (None, 80), None, "not measured"),
    ],
)
def test_a_verdict_says_which_bound_is_kept(
    figure: str, bounds: tuple[float | None, float | None], result: float | None, word: str
) -> None:
    target = Target("x", Place("http", "reg", "drum", figure), None, *bounds)
    assert Verdict(target, result, 1.0).word == word


def test_without_a_floor_there_is_no_factor_and_no_verdict() -> None:
    found = verdict("batch: seconds", [scored("reference", 2.0), scored("drum", 1.0)])
    assert (found.measured, found.factor, found.result, found.word) == (0.5, None, None, "not measured")


def test_a_quotient_is_taken_within_each_round() -> None:
    samples = [scored(*pair, number=1) for pair in (("floor", 1.0), ("reference", 2.0), ("drum", 1.0))]
    samples += [scored(*pair, number=2) for pair in (("floor", 10.0), ("reference", 20.0), ("drum", 10.0))]
    assert verdict("batch: seconds", samples).measured == 0.5


def test_the_report_shows_measured_factor_result_and_bounds() -> None:
    place = Place("http", "reg, 1 row, c1", "drum", SPEED)
    target = Target("1 row", place, Place("http", "reg, 1 row, c1", "reference", SPEED), 3, 6, Factor(1, "", "", ""))
    text = markdown({}, [], [Verdict(target, 4.0, 0.8)])
    assert text.splitlines()[-1] == (
        "| 1 row | must held | reference, reg, 1 row, c1 | 4.00 | 0.80 | 5.00 | from 3 | from 6 |"
    )


def test_every_case_of_a_target_is_one_that_a_full_run_has() -> None:
    todo = plan.read([])
    http = {f"{model}, {case.name}" for model in todo.models for case in todo.cases}
    files = {batch.case(model, *shape) for model in todo.models for shape in batch.shapes(model, todo.rows)}
    others = {"reg, workers: 1", "start to end", workers.ONE_MORE}
    for target in targets(todo.rows):
        for place in (target.ours, target.other, target.factor if isinstance(target.factor, Factor) else None):
            assert place is None or place.case in http | files | others
