"""`inputSchema` of `model-metadata.yaml`: the columns of a table, in the words of JSON Schema."""

from __future__ import annotations

from typing import Any

from custom_model_runner import spelling
from custom_model_runner.data.input_schema import DROP, KEEP, REFUSE, TYPES
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import (
    Key,
    Kind,
    anything,
    items,
    list_of,
    mapping,
    members,
    one_of,
    one_or_list_of,
    text,
    truth,
)


def _properties(entry: Entry) -> dict[str, Any]:
    return {name: _property(one) for name, one in members(entry).items()}


def _type(entry: Entry) -> str | list[str]:
    found = one_or_list_of(one_of(*TYPES))(entry)
    if not found:
        raise entry.fault("found no type, expected at least one")
    return found


def _property(entry: Entry) -> dict[str, Any]:
    """Return the keywords of a column; those that say nothing of types are the author's affair."""
    kinds: dict[str, Kind[Any]] = {"type": _type, "anyOf": list_of(_property)}
    return {name: kinds.get(name, anything)(one) for name, one in members(entry).items()}


_parse: Kind[dict[str, Any]] = mapping(
    {
        "$schema": Key(text),
        "title": Key(text),
        "description": Key(text),
        "type": Key(one_of("object"), required=True),
        "properties": Key(_properties, required=True),
        "required": Key(list_of(text)),
        "additionalProperties": Key(truth),
        "extraColumns": Key(one_of(KEEP, DROP, REFUSE)),
    }
)


def check(entry: Entry) -> dict[str, Any]:
    """Return the schema as it is written, its types and names checked."""
    found = _parse(entry)
    if "additionalProperties" in found and "extraColumns" in found:
        raise entry.fault("give additionalProperties or extraColumns, not both")
    for one in items(members(entry)["required"]) if "required" in found else ():
        if one.value not in found["properties"]:
            raise one.fault(f"{one.found} is not among the properties; {spelling.hint(text(one), found['properties'])}")
    return found
