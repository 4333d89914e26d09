"""`typeSchema` of `model-metadata.yaml`: what tables must be like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_model_runner.data.typeschema import COMPARISONS, CONDITIONS, DATA_TYPES, Requirement
from custom_model_runner.errors import SchemaError
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import (
    Key,
    Kind,
    anything,
    list_of,
    mapping,
    members,
    one_of,
    one_or_list_of,
    whole,
)
from custom_model_runner.target_type import TargetType

INPUT, OUTPUT = "input_requirements", "output_requirements"
EQUALS = ("EQUALS",)
SETS = ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN")
# Only these may be compared with 0, since every table has a column.
WITH_ZERO = ("NOT_IN", "NOT_EQUALS", "NOT_LESS_THAN", "GREATER_THAN")
ONE_VALUE = ("EQUALS", "NOT_EQUALS", *COMPARISONS)


def _count(entry: Entry) -> int:
    number = whole(entry)
    if number < 0:
        raise entry.fault(f"found {entry.found}, expected 0 or more")
    return number


# The conditions of each field, and the values of inputs and of outputs.
FIELDS: Mapping[str, tuple[tuple[str, ...], Kind[Any], Kind[Any]]] = {
    "data_types": (SETS, one_of(*DATA_TYPES), one_of(*DATA_TYPES)),
    "sparse": (
        EQUALS,
        one_of("FORBIDDEN", "SUPPORTED", "REQUIRED"),
        one_of("NEVER", "DYNAMIC", "ALWAYS", "IDENTITY"),
    ),
    "number_of_columns": (CONDITIONS, _count, _count),
    "contains_missing": (EQUALS, one_of("FORBIDDEN", "SUPPORTED"), one_of("NEVER", "DYNAMIC")),
}


def _requirement(entry: Entry, *, is_output: bool) -> dict[str, Any]:
    field = members(entry).get("field")
    conditions, of_input, of_output = FIELDS[one_of(*FIELDS)(field)] if field else (CONDITIONS, anything, anything)
    found = mapping(
        {
            "field": Key(one_of(*FIELDS), required=True),
            "condition": Key(one_of(*conditions), required=True),
            "value": Key(one_or_list_of(of_output if is_output else of_input), required=True),
        }
    )(entry)
    _check_values(members(entry)["value"], found)
    return found


def _check_values(entry: Entry, found: Mapping[str, Any]) -> None:
    values = found["value"] if isinstance(found["value"], list) else [found["value"]]
    if not values or (found["condition"] in ONE_VALUE and len(values) > 1):
        allowed = "IN and NOT_IN take several" if values else "expected at least one"
        raise entry.fault(f"found {len(values)} values for {found['condition']}; {allowed}")
    if 0 in values and found["condition"] not in WITH_ZERO:
        raise entry.fault(f"0 columns can only be compared with {', '.join(WITH_ZERO)}")


_parse: Kind[dict[str, Any]] = mapping(
    {
        INPUT: Key(list_of(lambda entry: _requirement(entry, is_output=False))),
        OUTPUT: Key(list_of(lambda entry: _requirement(entry, is_output=True))),
    }
)


def check(entry: Entry) -> dict[str, Any]:
    """Return the requirements of both sides, numbers as numbers."""
    return _parse(entry)


def requirements(raw: Mapping[str, Any], side: str) -> tuple[Requirement, ...]:
    """Return the requirements of one side of a checked schema."""
    return tuple(
        Requirement(
            one["field"],
            one["condition"],
            tuple(one["value"]) if isinstance(one["value"], list) else (one["value"],),
        )
        for one in raw.get(side, ())
    )


def refuse_outputs(entry: Entry | None, kind: TargetType | None) -> None:
    """Refuse requirements of outputs where the target is not `transform`."""
    if entry is not None and kind is not TargetType.TRANSFORM and OUTPUT in members(entry):
        fault = members(entry)[OUTPUT].fault(f"{OUTPUT} are only valid for the target type 'transform', found '{kind}'")
        raise SchemaError(str(fault))
