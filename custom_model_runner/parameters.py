"""Runtime parameters: a read-only view for user code.

A parameter NAME is the variable `MLOPS_RUNTIME_PARAM_NAME` holding JSON `{"type": ..., "payload": ...}`.
The process environment is the storage itself, because user code and its tests set and read it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from custom_model_runner.errors import UsageError

PREFIX = "MLOPS_RUNTIME_PARAM_"


class InvalidJsonException(ValueError):
    """A runtime parameter's variable does not hold JSON."""


class InvalidRuntimeParam(ValueError):
    """A runtime parameter has an unknown type, or a payload that does not fit its type."""


class InvalidInputFilePath(UsageError):
    """The file of runtime parameter values, or the metadata that defines them, is not there."""


class InvalidEmptyYamlContent(UsageError):
    """The file of runtime parameter values holds nothing."""


class InvalidYamlContent(UsageError):
    """The file of runtime parameter values is no YAML of names and values, or no parameter is defined."""


class ErrorLoadingRuntimeParameter(UsageError):
    """A runtime parameter's value is not what its definition allows."""


def _is_numeric(payload: Any) -> bool:
    if isinstance(payload, str):
        try:
            float(payload)
        except ValueError:
            return False
        return True
    return isinstance(payload, (int, float)) and not isinstance(payload, bool)


def _is_credential(payload: Any) -> bool:
    kind = payload.get("credentialType") if isinstance(payload, dict) else None
    return isinstance(kind, str) and bool(kind)


FITS: dict[str, Callable[[Any], bool]] = {
    "string": lambda payload: isinstance(payload, str),
    "boolean": lambda payload: isinstance(payload, bool),
    "numeric": _is_numeric,
    "credential": _is_credential,
    "deployment": lambda payload: isinstance(payload, str),
}


def parse(name: str, text: str) -> Any:
    """Return the payload of a parameter's JSON text; a null payload fits every type."""
    try:
        parameter = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidJsonException(
            f"Invalid runtime parameter json payload. {PREFIX}{name} does not hold JSON: {error}"
        ) from error
    if not isinstance(parameter, dict) or not {"type", "payload"} <= set(parameter):
        raise InvalidRuntimeParam(
            f"Invalid runtime parameter! {PREFIX}{name} must be an object with the keys 'type' and 'payload'"
        )
    kind, payload = parameter["type"], parameter["payload"]
    if not isinstance(kind, str) or kind not in FITS:
        raise InvalidRuntimeParam(
            f"Invalid runtime parameter! {name} has the type {kind!r}, expected one of: {', '.join(FITS)}"
        )
    if payload is not None and not FITS[kind](payload):
        raise InvalidRuntimeParam(
            f"Invalid runtime parameter! {name} is declared as {kind} and holds a {type(payload).__name__}"
        )
    return payload


def delivered() -> dict[str, str]:
    """Return the texts of the parameters that were delivered, by name, but not those of credentials."""
    texts = {name.removeprefix(PREFIX): text for name, text in os.environ.items() if name.startswith(PREFIX)}
    return {name: text for name, text in sorted(texts.items()) if not _is_of_credential(text)}


def _is_of_credential(text: str) -> bool:
    try:
        parameter = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(parameter, dict) and parameter.get("type") == "credential"


class RuntimeParameters:
    """Read the parameters that were delivered to the running model."""

    @staticmethod
    def has(name: str) -> bool:
        """Say whether the parameter was delivered."""
        return PREFIX + name in os.environ

    @staticmethod
    def get(name: str) -> Any:
        """Return the parameter's value; raise ValueError when it is missing or misfits its type."""
        text = os.environ.get(PREFIX + name)
        if text is None:
            raise ValueError(f"Runtime parameter {name!r} was not delivered: {PREFIX}{name} is not set")
        return parse(name, text)
