"""One conversation: a chat hook is called, and what it needs is held until the last of what it says is said."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any, Protocol, cast

from custom_model_runner.data.chat import Asked, Chat, Said


class Call(Protocol):
    """What is recorded of a call while it runs."""

    rows: int


def start(
    chat: Chat, asked: Asked, observed: AbstractContextManager[Call], slots: AbstractContextManager[Any]
) -> Said | Iterator[Said]:
    """Return the completion, or an iterator over its chunks, the first of which is there already.

    A stream holds its slot, and its observation is open, until it ends, is closed or is forgotten.
    """
    conversation = _conversation(chat, asked, observed, slots)
    completion = next(conversation)
    if completion is None:
        return cast("Iterator[Said]", conversation)
    # Lets go of the slot.
    next(conversation, None)
    return completion


def _conversation(
    chat: Chat, asked: Asked, observed: AbstractContextManager[Call], slots: AbstractContextManager[Any]
) -> Generator[Said | None, None, None]:
    """Yield the completion; or None, and then each chunk."""
    with observed as call, slots:
        said = chat(asked.params, asked.headers)
        if isinstance(said, Said):
            yield said
        else:
            with closing(cast("Generator[Said, None, None]", said)):
                # Nothing has been answered yet, so a failure here can still choose the status.
                chunk = next(said, None)
                yield None
                while chunk is not None:
                    yield chunk
                    chunk = next(said, None)
        call.rows = 1
