"""Chat in the dialect of OpenAI: a desk that answers questions about a ferry from the lines of answers.txt."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from custom_model_runner import CustomHTTPError

NAME = "ferry-desk"
LOST = "I only know the ferry: ask me about its times, fares, bicycles, dogs or the weather."

Answers = list[tuple[set[str], str]]


def load_model(code_dir: str) -> Answers:
    """Read the lines: words that tell what a question is about, and the answer to it."""
    lines = Path(code_dir, "answers.txt").read_text(encoding="utf-8").splitlines()
    parts = (line.partition(": ") for line in lines)
    return [(set(words.split()), answer) for words, _, answer in parts]


def chat(params: dict[str, Any], model: Answers) -> dict[str, Any] | Iterator[dict[str, Any]]:
    """Answer the last message of the user, at once or word by word, as the client likes it."""
    messages = [message for message in params.get("messages", []) if message.get("role") == "user"]
    if not messages or not isinstance(messages[-1].get("content"), str):
        raise CustomHTTPError("messages must hold a text of the role 'user'", 400)
    answer = reply(messages[-1]["content"], model)
    return stream(answer) if params.get("stream") else completion(answer)


def get_supported_llm_models(model: Answers) -> list[dict[str, Any]]:
    """Say what clients may put into `model`; this desk does not mind."""
    return [{"id": NAME, "object": "model", "created": 0, "owned_by": "harbour"}]


def score(data: pd.DataFrame, model: Answers) -> pd.DataFrame:
    """Answer a table of questions; nobody has to chat to be told something."""
    return pd.DataFrame({"answer": [reply(question, model) for question in data["promptText"]]})


def reply(question: str, model: Answers) -> str:
    """Give the answer that shares most words with the question. A language model would take the place of this."""
    words = set(re.findall(r"\w+", question.lower()))
    keys, answer = max(model, key=lambda line: len(words & line[0]))
    return answer if words & keys else LOST


def completion(text: str) -> dict[str, Any]:
    """Return a ChatCompletion; those of the package openai would do as well."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {**head(), "object": "chat.completion", "choices": choices}


def stream(text: str) -> Iterator[dict[str, Any]]:
    """Yield a ChatCompletionChunk for each word, and one that says that this was the last."""
    common = {**head(), "object": "chat.completion.chunk"}
    for word in re.findall(r"\S+\s*", text):
        yield {**common, "choices": [{"index": 0, "delta": {"role": "assistant", "content": word}}]}
    yield {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def head() -> dict[str, Any]:
    """Return what all chunks of an answer share."""
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": NAME}
