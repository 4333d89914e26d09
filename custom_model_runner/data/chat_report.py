"""What is told of a chat to those who watch over the model: the last message, and the whole of what was said to it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner.data.chat import Asked
from custom_model_runner.data.report import Report, Samples, Stats

# The column that deployments look for, unless told otherwise.
PROMPT_COLUMN = "promptText"


def report(asked: Asked, *, prompt: str | None, texts: Sequence[str], count: int, seconds: float) -> Report:
    """Return the report of a chat; `count` is 0 where it failed, and then there is nothing that was predicted."""
    samples, size = None, 0
    if count and prompt is not None:
        answer = "".join(texts)
        samples = Samples(
            pd.DataFrame({PROMPT_COLUMN: [prompt]}),
            np.array([answer], dtype=object),
            association_ids=(asked.association_id,),
        )
        size = len(prompt) + len(answer)
    return Report(time.time(), asked.request_id, Stats(count, seconds * 1000), samples, size)


def prompt_of(params: Mapping[str, Any]) -> str | None:
    """Return the last message of a chat as text, or None where there is none."""
    messages = params.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    if isinstance(content, list):
        return "\n".join(_flat(part) for part in content)
    return content if isinstance(content, str) else None


def _flat(part: Any) -> str:
    """Return a part of a message in words; for what is no text, only what it is."""
    kind = part.get("type") if isinstance(part, dict) else None
    held = part.get(kind) if isinstance(kind, str) else None
    if kind == "text":
        return str(held)
    if kind == "image_url" and isinstance(held, dict):
        return f"Image URL: {held.get('url')}"
    if kind == "input_audio" and isinstance(held, dict):
        return f"Audio Input, Format: {held.get('format')}"
    return f"Unhandled content type: {kind}"


def text_of(body: Mapping[str, Any]) -> str:
    """Return the text of the first choice of a completion, or what a chunk adds to it."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return ""
    for choice in choices:
        if isinstance(choice, dict) and choice.get("index", 0) == 0:
            said = choice.get("message") or choice.get("delta")
            content = said.get("content") if isinstance(said, dict) else None
            return content if isinstance(content, str) else ""
    return ""
