"""What a conversation holds while it lasts, and what is recorded of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import codedir
from custom_model_runner.data.chat import Asked, Said
from custom_model_runner.data.observation import Observation
from custom_model_runner.data.report import Report
from custom_model_runner.data.target import Target
from custom_model_runner.errors import UserCodeError
from custom_model_runner.metadata import Metadata
from custom_model_runner.model import Model, ModelInfo
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

ASKED = Asked({}, {})


def said(number: int = 0) -> Said:
    return Said(f"given {number}", {"number": number})


def stream(params: dict[str, Any], _headers: Mapping[str, str]) -> Iterator[Said]:
    for number in range(3):
        if number == params.get("fail"):
            raise UserCodeError("the user's affair")
        yield said(number)


def build(chat: Any, seen: list[Observation]) -> tuple[Predictor, threading.Lock]:
    folder = codedir.CodeDir(Path("/code"), "python", "hooks", None, (), Metadata())
    info = ModelInfo(Target(TargetType.TEXT_GENERATION), folder, None)
    slots = threading.Lock()
    return Predictor(Model(info, chat=chat), (seen.append,), lambda: slots), slots


def reports_of(chat: Any, params: dict[str, Any], *, reads: int = 9) -> list[tuple[int, list[str] | None]]:
    """Return what is reported of a chat of which some chunks are read: counts, and answers."""
    reports: list[Report] = []
    predictor, _ = build(chat, [])
    predictor = replace(predictor, reporter=reports.append)
    with suppress(UserCodeError):
        said = predictor.converse(Asked({"messages": [{"content": "x"}], **params}, {}))
        if not isinstance(said, Said):
            list(islice(said, reads))
            said.close()  # type: ignore[attr-defined]
    answers = [None if one.samples is None else one.samples.predictions for one in reports]
    return [
        (one.stats.num_predictions if one.stats else -1, None if answer is None else answer.tolist())
        for one, answer in zip(reports, answers, strict=True)
    ]


def test_a_chat_is_reported_when_it_has_ended() -> None:
    def spoken(params: dict[str, Any], _headers: Mapping[str, str]) -> Iterator[Said]:
        for number in stream(params, {}):
            yield Said(None, {"choices": [{"delta": {"content": f"{number.body['number']} "}}]})

    def whole(params: dict[str, Any], _headers: Mapping[str, str]) -> Said:
        # Its prompt has been noted before.
        params.clear()
        return Said(None, {"choices": [{"message": {"content": "all"}}]})

    assert reports_of(whole, {}) == [(1, ["all"])]
    assert reports_of(spoken, {}) == [(1, ["0 1 2 "])]
    assert reports_of(spoken, {"fail": 0}) == reports_of(spoken, {"fail": 2}) == [(0, None)]
    assert reports_of(spoken, {}, reads=1) == [(0, None)]


def facts(seen: list[Observation]) -> list[tuple[int, str | None]]:
    return [(one.rows, one.failure) for one in seen]


def test_a_completion_gives_its_slot_back_at_once() -> None:
    seen: list[Observation] = []
    predictor, slots = build(lambda params, headers: said(), seen)
    assert predictor.converse(ASKED) == said()
    assert not slots.locked()
    assert facts(seen) == [(1, None)]


def test_a_stream_holds_its_slot_to_the_end() -> None:
    seen: list[Observation] = []
    predictor, slots = build(stream, seen)
    held = []
    for _ in predictor.chat({}):
        held.append(slots.locked())
    assert (held, slots.locked(), facts(seen)) == ([True] * 3, False, [(1, None)])


def test_in_process_one_gets_what_the_hook_made() -> None:
    predictor, _ = build(stream, [])
    assert list(predictor.chat({})) == ["given 0", "given 1", "given 2"]


def test_a_stream_that_fails_before_its_first_chunk_fails_at_once() -> None:
    seen: list[Observation] = []
    predictor, slots = build(stream, seen)
    with pytest.raises(UserCodeError):
        predictor.chat({"fail": 0})
    assert (slots.locked(), facts(seen)) == (False, [(0, "UserCodeError")])


def test_a_stream_that_fails_on_the_way_gives_its_slot_back() -> None:
    seen: list[Observation] = []
    predictor, slots = build(stream, seen)
    chunks = predictor.chat({"fail": 2})
    assert [next(chunks), next(chunks)] == ["given 0", "given 1"]
    with pytest.raises(UserCodeError):
        next(chunks)
    assert (slots.locked(), facts(seen)) == (False, [(0, "UserCodeError")])


@pytest.mark.parametrize("reads", [0, 1])
def test_a_stream_that_is_closed_gives_its_slot_back(reads: int) -> None:
    seen: list[Observation] = []
    predictor, slots = build(stream, seen)
    chunks = predictor.converse(ASKED)
    assert not isinstance(chunks, Said)
    for _ in range(reads):
        next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert (slots.locked(), facts(seen)) == (False, [(0, "GeneratorExit")])
