"""A folder that chats as it is told to by the parameters."""

from __future__ import annotations

from pathlib import Path

SOURCE = """
import sys
import time
from datarobot_drum import CustomHTTPError
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from werkzeug.exceptions import BadRequest

COMMON = {"id": "1", "created": 1735689600, "model": "echo"}


def chat(params, model, headers):
    if params.get("raise"):
        raise eval(params["raise"])
    if params.get("stream"):
        return stream(params)
    text = params["messages"][-1]["content"] + headers.get("x-sign", "")
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return ChatCompletion(object="chat.completion", choices=choices, **COMMON)


def stream(params):
    try:
        for number, word in enumerate(params["messages"][-1]["content"].split()):
            if number == params.get("fail_at"):
                raise ValueError("the thread is lost")
            delta = {"role": "assistant", "content": word + " "}
            yield ChatCompletionChunk(
                object="chat.completion.chunk", choices=[{"index": 0, "delta": delta}], **COMMON
            )
            time.sleep(params.get("pause", 0))
    except GeneratorExit:
        print("closed after", number, file=sys.stderr, flush=True)
        raise


def get_supported_llm_models(model):
    return [{"id": "echo", "object": "model", "created": 1735689600, "owned_by": "us"}]
"""


def plant(folder: Path, more: str = "") -> Path:
    """Write the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "custom.py").write_text(SOURCE + more)
    return folder
