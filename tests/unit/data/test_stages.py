"""How long the stages of a call took."""

from __future__ import annotations

from custom_model_runner.data.stages import Stages


def made(*times: float) -> Stages:
    return Stages(iter(times).__next__)


def test_a_stage_lasts_from_the_end_of_the_one_before_to_its_own() -> None:
    stages = made(1.0, 1.5, 3.0)
    stages.end("decode")
    stages.end("score")
    assert stages.seconds() == {"decode": 0.5, "score": 1.5}
    assert list(stages.spans()) == [("decode", 1.0, 1.5), ("score", 1.5, 3.0)]


def test_a_stage_that_comes_twice_is_added_up() -> None:
    stages = made(0.0, 1.0, 2.0, 5.0)
    for name in ("decode", "queue", "decode"):
        stages.end(name)
    assert stages.seconds() == {"decode": 4.0, "queue": 1.0}
