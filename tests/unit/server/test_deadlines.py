"""A request is answered once: in time by its call, or by the thread that looks after deadlines."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from custom_model_runner.errors import TimedOut
from custom_model_runner.server.deadlines import Watch, Watchman


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    """A watchman without a thread, whose clock stands still."""

    clock: Clock = field(default_factory=Clock)
    told: list[str] = field(default_factory=list)
    stuck: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watchman = Watchman(grace=5, retire=lambda: self.told.append("retire"), clock=self.clock)
        self.watchman.thread = threading.current_thread()

    def watch(self, at: float, name: str = "refuse") -> Watch:
        return Watch(at, self.watchman, lambda: self.told.append(name))

    def look(self, now: float) -> float:
        self.clock.now = now
        return self.watchman.look()


def test_a_call_in_time_is_answered_by_itself_and_forgotten() -> None:
    scene = Scene()
    watch = scene.watch(1)
    with watch.guarded(scene.stuck.append):
        assert scene.look(0.5) == 1
    assert watch.claim()
    scene.look(9)
    assert (scene.told, scene.stuck, scene.watchman.watched) == ([], [], {})


def test_a_call_that_is_over_is_refused_once_and_may_not_answer_any_more() -> None:
    scene = Scene()
    watch = scene.watch(1)
    with watch.guarded(scene.stuck.append):
        scene.look(1)
        scene.look(2)
        assert (scene.told, scene.stuck) == (["refuse"], [1])
    assert not watch.claim()
    assert scene.stuck == [1, -1]
    scene.look(9)
    assert scene.told == ["refuse"]


def test_a_call_that_ends_too_late_before_it_has_been_refused_is_late_all_the_same() -> None:
    scene = Scene()
    watch = scene.watch(1)
    with pytest.raises(TimedOut, match="--request-timeout"), watch.guarded(scene.stuck.append):
        scene.clock.now = 1.1
    assert watch.claim()
    scene.look(9)
    assert (scene.told, scene.stuck) == ([], [])


def test_what_a_late_call_raises_is_told_rather_than_that_it_is_late() -> None:
    scene = Scene()
    scene.clock.now = 1.1
    with pytest.raises(ZeroDivisionError), scene.watch(1).guarded(scene.stuck.append):
        raise ZeroDivisionError


def test_a_call_that_is_still_inside_after_the_grace_period_retires_the_worker() -> None:
    scene = Scene()
    with scene.watch(1).guarded(scene.stuck.append):
        assert scene.look(1) == 6
        scene.look(5.9)
        assert scene.told == ["refuse"]
        scene.look(6)
        scene.look(7)
    assert scene.told == ["refuse", "retire"]


def test_a_refusal_that_fails_leaves_the_others_looked_after(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    fails = Watch(1, scene.watchman, lambda: scene.told.remove("what is not there"))
    with fails.guarded(scene.stuck.append), scene.watch(1).guarded(scene.stuck.append):
        scene.look(1)
        assert (scene.told, scene.stuck) == (["refuse"], [1, 1])
        scene.look(6)
    assert scene.told == ["refuse", "retire", "retire"]
    assert "ValueError" in caplog.text


def test_a_stream_that_has_begun_to_answer_is_not_refused() -> None:
    scene = Scene()
    watch = scene.watch(1)
    with watch.guarded(scene.stuck.append):
        assert watch.claim()
        scene.look(2)
    assert (scene.told, scene.stuck) == ([], [])


def test_the_earliest_deadline_is_looked_at_first_whenever_it_was_added() -> None:
    scene = Scene()
    with scene.watch(3, "late").guarded(scene.stuck.append), scene.watch(2, "early").guarded(scene.stuck.append):
        assert scene.look(0) == 2
        assert scene.look(2) == 3
        assert scene.told == ["early"]


def test_the_thread_wakes_for_a_deadline_that_is_earlier_than_what_it_sleeps_for() -> None:
    refused = threading.Event()
    watchman = Watchman(grace=60)
    later = Watch(watchman.clock() + 60, watchman, lambda: None)
    sooner = Watch(watchman.clock() + 0.05, watchman, refused.set)
    with later.guarded(lambda number: None), sooner.guarded(lambda number: None):
        assert refused.wait(10)


def test_time_that_is_over_is_none_left() -> None:
    scene = Scene()
    scene.clock.now = 3
    assert (scene.watch(5).left(), scene.watch(1).left()) == (2, 0)
