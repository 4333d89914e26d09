"""`hyperparameters` of `model-metadata.yaml`: what a task may be fitted with, and the values it gets by default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from custom_model_runner import parsers
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import Key, items, list_of, mapping, members, number, one_of, text, whole

LONGEST_NAME = 64
LONGEST_TEXT = 1024
MOST_VALUES = 24
NAME = re.compile(r"[A-Za-z]([A-Za-z_]*[A-Za-z])?")

Complain = Callable[[str], Exception]


def check(entry: Entry) -> list[dict[str, Any]]:
    """Return the parameters, their numbers as numbers; a parameter that breaks a rule of its type is named."""
    found = [_parameter(item) for item in items(entry)]
    names = [parameter["name"] for parameter in found]
    for number_, name in enumerate(names):
        if name in names[:number_]:
            raise items(entry)[number_].fault(f"the parameter {name!r} is given twice")
    return found


def defaults(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each parameter's default: the one that is given, else its least number, its first value or no text."""
    return {parameter["name"]: _default(parameter) for parameter in parameters}


def _name(entry: Entry) -> str:
    name = text(entry)
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise entry.fault(
            f"found {entry.found}, expected at most {LONGEST_NAME} English letters and underscores, "
            "with no underscore at either end"
        )
    return name


def _short(entry: Entry) -> str:
    written = text(entry)
    if len(written) > LONGEST_TEXT:
        raise entry.fault(f"found {len(written)} characters, expected at most {LONGEST_TEXT}")
    return written


def _values(entry: Entry) -> list[str]:
    values = list_of(_short)(entry)
    if not 1 <= len(values) <= MOST_VALUES:
        raise entry.fault(f"found {len(values)} values, expected 1 to {MOST_VALUES}")
    if not all(value.strip() for value in values):
        raise entry.fault("a value is blank")
    return values


def _real(entry: Entry) -> float:
    return float(number(entry))


INT = {"min": Key(whole, required=True), "max": Key(whole, required=True)}
FLOAT = {"min": Key(_real, required=True), "max": Key(_real, required=True)}
SELECT = {"values": Key(_values, required=True)}
PARTS = {"int": Key(mapping(INT)), "float": Key(mapping(FLOAT)), "select": Key(mapping(SELECT))}
TYPES: Mapping[str, Mapping[str, Key]] = {
    "int": {**INT, "default": Key(whole)},
    "float": {**FLOAT, "default": Key(_real)},
    "string": {"default": Key(_short)},
    "select": {**SELECT, "default": Key(text)},
    "multi": {"values": Key(mapping(PARTS), required=True), "default": Key(text)},
}
# How the default of a parameter of several types is read; the first type that takes it counts.
READERS: Mapping[str, Callable[[str], Any]] = {
    "int": parsers.whole,
    "float": lambda written: float(parsers.number(written)),
    "select": str,
}
COMMON = {"name": Key(_name, required=True), "type": Key(text)}


def _parameter(entry: Entry) -> dict[str, Any]:
    kind = members(entry).get("type")
    if kind is None:
        raise entry.fault("the key 'type' is missing")
    found = mapping({**COMMON, **TYPES[one_of(*TYPES)(kind)]})(entry)
    complain = partial(_complaint, entry, found)
    if found["type"] == "multi":
        return _multi(found, complain)
    _check_bounds(found, complain)
    if "default" in found and not _fits(found["type"], found, found["default"]):
        raise complain(f"the default must be {_expected(found['type'], found)}")
    return found


def _complaint(entry: Entry, parameter: Mapping[str, Any], words: str) -> Exception:
    # Callers match these words.
    return entry.fault(f"Invalid {parameter['type']} parameter {parameter['name']}: {words}")


def _check_bounds(part: Mapping[str, Any], complain: Complain) -> None:
    if "min" in part and part["max"] <= part["min"]:
        raise complain("max must be greater than min")


def _fits(kind: str, part: Mapping[str, Any], value: Any) -> bool:
    if kind == "select":
        return value in part["values"]
    return kind == "string" or part["min"] <= value <= part["max"]


def _expected(kind: str, part: Mapping[str, Any]) -> str:
    return "one of its values" if kind == "select" else f"from {part['min']} to {part['max']}"


def _multi(found: dict[str, Any], complain: Complain) -> dict[str, Any]:
    """Check a parameter whose values may be of several types."""
    parts = found["values"]
    if not parts:
        raise complain(f"values must hold at least one of: {', '.join(PARTS)}")
    for part in parts.values():
        _check_bounds(part, complain)
    if "default" not in found:
        return found
    for kind in (kind for kind in READERS if kind in parts):
        value = _as(kind, found["default"])
        if value is not None and _fits(kind, parts[kind], value):
            return {**found, "default": value}
    expected = (f"{_expected(kind, part)} ({kind})" for kind, part in parts.items())
    raise complain(f"the default must be {' or '.join(expected)}")


def _as(kind: str, written: str) -> Any:
    """Return what is written as a value of a type, or None where it is none."""
    try:
        return READERS[kind](written)
    except ValueError:
        return None


def _default(parameter: Mapping[str, Any]) -> Any:
    if "default" in parameter:
        return parameter["default"]
    if parameter["type"] == "multi":
        # The first type by its name, and its first value.
        kind, part = min(parameter["values"].items())
        return _default({"type": kind, **part})
    if parameter["type"] == "select":
        return parameter["values"][0]
    return parameter.get("min", "")
