"""What is asked of a model that chats and what it says, in the words of OpenAI's chat API."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_model_runner.data import cells
from custom_model_runner.errors import ContractError, MalformedRequest

COMPLETION = "chat.completion"
CHUNK = "chat.completion.chunk"
MODEL = "model"
ASSOCIATION_ID = "datarobot_association_id"
SEPARATORS = (",", ":")


@dataclass(frozen=True)
class Asked:
    """What one request asks for: its parameters, its headers, and the id under which the answer will be known."""

    params: dict[str, Any]
    headers: Mapping[str, str]
    association_id: str | int = field(default_factory=lambda: str(uuid.uuid4()))
    request_id: str | None = None


@dataclass(frozen=True)
class Said:
    """A completion, or one chunk of it: the object as user code made it, and what it holds."""

    given: Any
    body: dict[str, Any]


# What a chat hook says to parameters and headers: a completion, or its chunks one after the other.
Chat = Callable[[dict[str, Any], Mapping[str, str]], "Said | Iterator[Said]"]


def asked(params: Any, headers: Mapping[str, str], *, request_id: str | None = None) -> Asked:
    """Return what a decoded body asks for; one that is no object is a malformed request."""
    if not isinstance(params, dict):
        raise MalformedRequest("The body is no JSON object, expected the parameters of a chat completion")
    given = params.get(ASSOCIATION_ID)
    if given is None or given == "":
        return Asked(params, headers, request_id=request_id)
    if not isinstance(given, (str, int)) or isinstance(given, bool):
        raise MalformedRequest(f"{ASSOCIATION_ID} is {type(given).__name__}, expected a text or a whole number")
    return Asked(params, headers, given, request_id)


def to_json(body: Any) -> str:
    """Return one line of ASCII, whatever line breaks the texts hold; numbers that JSON does not have are null."""
    try:
        return json.dumps(body, default=_plain, separators=SEPARATORS, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return _to_json_with_care(body)


def _to_json_with_care(body: Any) -> str:
    try:
        return json.dumps(_finite(body), default=_plain, separators=SEPARATORS)
    except (TypeError, ValueError, RecursionError) as error:
        raise ContractError(f"The chat hook's answer cannot be written as JSON: {type(error).__name__}") from error


def _plain(value: Any) -> Any:
    return _finite(cells.plain(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
