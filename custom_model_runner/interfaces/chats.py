"""How the hooks of a chatting model are called, and what they must return."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from custom_model_runner import border
from custom_model_runner.data.chat import CHUNK, COMPLETION, MODEL, Said
from custom_model_runner.errors import BaseCustomUserError, ContractError, LoadError, UserCodeError
from custom_model_runner.interfaces.calls import Hook
from custom_model_runner.parameters import RuntimeParameters

LOG = logging.getLogger("drum.chat")
FAILING = "The chat hook raised. Exception:"
MODELS_FAILING = "The get_supported_llm_models hook raised. Exception:"
# Users' scripts look for these words.
EXPECTED = "Expected response to be ChatCompletion or Iterable[ChatCompletionChunk]"
# The class of the official client; some services leave the field `object` of their first chunk empty.
CHUNK_CLASS = "ChatCompletionChunk"
# How objects of the usual libraries say what they hold, in the order in which they are asked.
WRITERS: Mapping[str, Mapping[str, Any]] = {"to_dict": {}, "model_dump": {"mode": "json"}}
THE_END = object()

LLM_ID = "LLM_ID"
LLM_OWNER = "DataRobot"
LLM_CREATED = 1735689600


def chat(hook: Hook, model: Any, params: dict[str, Any], headers: Mapping[str, str]) -> Said | Iterator[Said]:
    """Return the completion, or an iterator over its chunks; what is neither is found by asking for the first one."""
    result = hook(params, model, headers=headers)
    is_completion = _object_of(result, FAILING) == COMPLETION
    return Said(result, _body_of(result, FAILING)) if is_completion else _chunks(result)


def _chunks(result: Any) -> Iterator[Said]:
    """Yield each chunk as the hook makes it; when this ends, or is closed, so is the hook's iterator."""
    if isinstance(result, (Mapping, str, bytes)):
        raise _unexpected(type(result).__name__)
    try:
        items = iter(result)
    except TypeError as error:
        raise _unexpected(type(result).__name__) from error
    try:
        file = items.gi_code.co_filename if inspect.isgenerator(items) else None
        item = border.call(next, items, THE_END, failing=FAILING, file=file)
        if item is not THE_END and not _is_chunk(item):
            raise _unexpected(f"{type(result).__name__} of {type(item).__name__}")
        while item is not THE_END:
            yield Said(item, _body_of(item, FAILING))
            item = border.call(next, items, THE_END, failing=FAILING, file=file)
    finally:
        _close(items)
        if items is not result:
            _close(result)


def _unexpected(found: str) -> ContractError:
    return ContractError(f"{EXPECTED}, but the chat hook returned {found}")


def _is_chunk(item: Any) -> bool:
    return type(item).__name__ == CHUNK_CLASS or _object_of(item, FAILING) in (CHUNK, "")


def _close(items: Any) -> None:
    """Let the hook's iterator clean up; nobody waits for what it says to that."""
    close = getattr(items, "close", None)
    if not callable(close):
        return
    try:
        border.call(close, failing="The chat hook's stream cannot be closed. Exception:")
    except (UserCodeError, BaseCustomUserError) as error:
        LOG.warning("%s", error)


def _object_of(given: Any, failing: str) -> Any:
    """Return what an object says it is."""
    if isinstance(given, Mapping):
        return given.get("object")
    return border.call(getattr, given, "object", None, failing=failing)


def _body_of(given: Any, failing: str) -> dict[str, Any]:
    """Return what an object holds, by whichever method its library has for that."""
    found = given
    for name, arguments in WRITERS.items():
        write = None if isinstance(found, Mapping) else border.call(getattr, given, name, None, failing=failing)
        if callable(write):
            found = border.call(write, failing=failing, **arguments)
    if not isinstance(found, Mapping):
        raise ContractError(f"{type(given).__name__} is neither a dict nor an object with one of: {', '.join(WRITERS)}")
    return dict(found)


def models(hook: Hook, model: Any) -> list[dict[str, Any]]:
    """Return the models that the user's hook lists."""
    result = hook(model)
    try:
        items = border.call(list, result, failing=MODELS_FAILING)
    except UserCodeError as error:
        if not isinstance(error.__cause__, TypeError):
            raise
        raise ContractError(
            f"The get_supported_llm_models hook returned {type(result).__name__}, expected an iterable of models"
        ) from error
    for item in items:
        if _object_of(item, MODELS_FAILING) != MODEL:
            raise ContractError(
                f"The get_supported_llm_models hook listed {type(item).__name__}, "
                f"expected objects whose field `object` is {MODEL!r}"
            )
    return [_body_of(item, MODELS_FAILING) for item in items]


def configured_models() -> list[dict[str, Any]]:
    """Return the model that the runtime parameter LLM_ID names, in a list; without it the list is empty."""
    try:
        name = RuntimeParameters.get(LLM_ID) if RuntimeParameters.has(LLM_ID) else None
    except ValueError as error:
        raise LoadError(str(error)) from error
    if name in (None, ""):
        return []
    return [{"id": str(name), "object": MODEL, "created": LLM_CREATED, "owned_by": LLM_OWNER}]
