"""One conversation: a chat hook is called, and what it needs is held until the last of what it says is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any, cast

from custom_model_runner.data import chat_report
from custom_model_runner.data.call import Call
from custom_model_runner.data.chat import Asked, Chat, Said
from custom_model_runner.data.report import Reporter
from custom_model_runner.data.stages import QUEUE

# Returns what a call is inside of while it is inside the model.
Slots = Callable[[], AbstractContextManager[Any]]


def one_at_a_time() -> Slots:
    """Return slots that let in one call after the other."""
    lock = threading.Lock()
    return lambda: lock


def start(
    chat: Chat,
    asked: Asked,
    observed: AbstractContextManager[Call],
    slots: Slots,
    reporter: Reporter | None = None,
) -> Said | Iterator[Said]:
    """Return the completion, or an iterator over its chunks, the first of which is there already.

    A stream holds its slot, and its observation is open, until it ends, is closed or is forgotten.
    """
    conversation = _conversation(chat, asked, observed, slots, reporter)
    completion = next(conversation)
    if completion is None:
        return cast("Iterator[Said]", conversation)
    # Lets go of the slot.
    next(conversation, None)
    return completion


def _conversation(
    chat: Chat,
    asked: Asked,
    observed: AbstractContextManager[Call],
    slots: Slots,
    reporter: Reporter | None,
) -> Generator[Said | None, None, None]:
    """Yield what is said, and report it when it has been said or has failed."""
    # Now, since the hook may change the parameters.
    prompt = chat_report.prompt_of(asked.params)
    texts: list[str] = []
    call: Call | None = None
    try:
        with observed as call, slots(), closing(_speech(chat, asked, call)) as speech:
            for said in speech:
                if said is not None and reporter is not None:
                    texts.append(chat_report.text_of(said.body))
                yield said
            call.rows = 1
    finally:
        if reporter is not None and call is not None:
            reporter(chat_report.report(asked, prompt=prompt, texts=texts, count=call.rows, seconds=call.seconds))


def _speech(chat: Chat, asked: Asked, call: Call) -> Generator[Said | None, None, None]:
    """Yield the completion; or None, and then each chunk."""
    call.stages.end(QUEUE)
    said = chat(asked.params, asked.headers)
    if isinstance(said, Said):
        call.stages.end("chat")
        yield said
        return
    with closing(cast("Generator[Said, None, None]", said)):
        # Nothing has been answered yet, so a failure here can still choose the status.
        chunk = next(said, None)
        call.stages.end("chat")
        yield None
        while chunk is not None:
            yield chunk
            chunk = next(said, None)
        call.stages.end("stream")
