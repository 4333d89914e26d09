"""A chat as it is reported: a prompt, an answer, an id."""

from __future__ import annotations

from typing import Any

import pytest

from custom_model_runner.data import chat_report
from custom_model_runner.data.chat import Asked


@pytest.mark.parametrize(
    ("content", "prompt"),
    [
        ("Ship ahoy", "Ship ahoy"),
        ("", ""),
        (
            [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}}],
            "Look:\nImage URL: https://x.org/a.png",
        ),
        ([{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}], "Audio Input, Format: wav"),
        ([{"type": "file", "file": {"file_data": "x"}}], "Unhandled content type: file"),
        (
            ["text", {"type": []}, {"type": "image_url", "image_url": "x"}],
            "Unhandled content type: None\nUnhandled content type: []\nUnhandled content type: image_url",
        ),
        (None, None),
        (7, None),
    ],
)
def test_the_prompt_is_the_last_message_as_text(content: Any, prompt: str | None) -> None:
    params = {"messages": [{"role": "user", "content": "before"}, {"role": "user", "content": content}]}
    assert chat_report.prompt_of(params) == prompt


@pytest.mark.parametrize("messages", [None, [], "x", {}, [None], ["x"], [{}]])
def test_without_messages_there_is_no_prompt(messages: Any) -> None:
    assert chat_report.prompt_of({"messages": messages}) is None
    assert chat_report.prompt_of({}) is None


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ([{"index": 0, "message": {"content": "a"}}], "a"),
        ([{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}], "a"),
        ([{"message": {"content": "no index"}}], "no index"),
        ([{"index": 1, "delta": {"content": "b"}}], ""),
        ([{"index": 0, "delta": {"content": None}}], ""),
        ([{"index": 0, "delta": None}, None], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_answer_is_the_text_of_the_first_choice(choices: Any, text: str) -> None:
    assert chat_report.text_of({"choices": choices}) == text


def test_a_report_holds_prompt_answer_and_id() -> None:
    asked = Asked({}, {}, "order 7", "r1")
    report = chat_report.report(asked, prompt="Ship ahoy", texts=["a", "hoy"], count=1, seconds=0.25)
    assert report.stats is not None
    assert (report.request_id, report.stats.num_predictions, report.stats.execution_time_ms) == ("r1", 1, 250.0)
    assert report.samples is not None
    assert report.samples.features is not None
    assert report.samples.features.to_dict("list") == {"promptText": ["Ship ahoy"]}
    assert report.samples.predictions is not None
    assert report.samples.predictions.tolist() == ["ahoy"]
    assert report.samples.association_ids == ("order 7",)
    assert report.size == len("Ship ahoy" + "ahoy")


@pytest.mark.parametrize(("prompt", "count"), [("x", 0), (None, 1)])
def test_a_chat_that_failed_or_had_no_prompt_is_only_counted(prompt: str | None, count: int) -> None:
    report = chat_report.report(Asked({}, {}), prompt=prompt, texts=["a"], count=count, seconds=1)
    assert report.stats is not None
    assert (report.stats.num_predictions, report.samples) == (count, None)
