"""Which generation loads, which one serves, and which is on its way out."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from custom_model_runner.server.board import Generation, OfGeneration, OfWorker, State, open_board
from custom_model_runner.server.generations import Generations

Planned = Callable[..., Generation]


def sleep(generation: Generation, may_share: bool) -> NoReturn:
    """Be a generation that does nothing."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    while True:
        signal.pause()


@pytest.fixture
def generations() -> Iterator[Generations]:
    one = Generations(open_board(2), sleep)
    yield one
    for pid in one.children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture
def started(generations: Generations) -> Planned:
    """Start a generation whose workers are in these states."""

    def start(*workers: State) -> Generation:
        before = set(generations.children)
        generations.start()
        (pid,) = set(generations.children) - before
        generation = generations.children[pid].generation
        generation.row.put(OfGeneration.WORKERS, len(workers))
        for slot, state in zip(generation.slots, workers, strict=False):
            slot.put(OfWorker.STATE, state)
        return generation

    return start


@pytest.mark.parametrize("state", [State.READY, State.FAILED])
def test_the_first_generation_serves_as_soon_as_one_worker_can_answer(
    generations: Generations, started: Planned, state: State
) -> None:
    first = started(State.LOADING, State.LOADING)
    assert not generations.step()
    first.slots[1].put(OfWorker.STATE, state)
    assert generations.step()
    assert first.state is State.READY
    assert not generations.step()


def test_a_second_generation_serves_when_all_its_workers_have_loaded_and_then_the_first_is_drained(
    generations: Generations, started: Planned
) -> None:
    first = started(State.READY, State.READY)
    generations.step()
    second = started(State.READY, State.LOADING)
    assert not generations.step()
    assert (first.state, second.state) == (State.READY, State.LOADING)
    second.slots[1].put(OfWorker.STATE, State.READY)
    assert generations.step()
    assert (first.state, second.state) == (State.DRAINING, State.READY)


def test_a_second_generation_that_has_failed_to_load_never_serves(
    generations: Generations, started: Planned, capsys: pytest.CaptureFixture[str]
) -> None:
    first = started(State.READY, State.READY)
    generations.step()
    second = started(State.FAILED, State.READY)
    assert not generations.step()
    assert (first.state, second.state) == (State.READY, State.DRAINING)
    assert "what was loaded before goes on serving" in capsys.readouterr().err


def refuse() -> NoReturn:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_when_no_process_can_be_started_what_serves_goes_on(
    generations: Generations, started: Planned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = started(State.READY)
    generations.step()
    monkeypatch.setattr(os, "fork", refuse)
    generations.reload()
    assert not generations.is_ending
    assert first.state is State.READY
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "drum: error: no process could be started: Resource temporarily unavailable",
        "drum: the folder could not be loaded anew; what was loaded before goes on serving",
    ]
    monkeypatch.undo()
    generations.reload()
    assert len(generations.children) == 2


def test_a_server_of_which_no_process_can_be_started_ends(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", refuse)
    generations.start()
    assert generations.exit_code == 1
    assert not generations.children


def test_a_generation_with_a_model_takes_the_place_of_one_that_only_explains(
    generations: Generations, started: Planned
) -> None:
    first = started(State.FAILED)
    generations.step()
    second = started(State.READY)
    assert generations.step()
    assert (first.state, second.state) == (State.DRAINING, State.READY)
