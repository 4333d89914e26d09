"""The opcodes of a pickle that fill lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom_model_runner.artifacts import versions
from custom_model_runner.artifacts.machine import Instruction, Machine
from custom_model_runner.artifacts.values import MOST_KEPT, kept
from custom_model_runner.artifacts.versions import Version


def _list(machine: Machine, _: object) -> None:
    machine.push(machine.pop_to_mark()[:MOST_KEPT])


def _append(machine: Machine, _: object) -> None:
    value = machine.pop()
    _extend(machine.top(), [value])


def _appends(machine: Machine, _: object) -> None:
    values = machine.pop_to_mark()
    _extend(machine.top(), values)


def _extend(items: object, values: list[Any]) -> None:
    if isinstance(items, list):
        items += values[: max(0, MOST_KEPT - len(items))]


def _tuple(machine: Machine, _: object) -> None:
    machine.push(kept(machine.pop_to_mark()))


def _tuple_of(size: int) -> Instruction:
    def follow(machine: Machine, _: object) -> None:
        machine.push(tuple(reversed([machine.pop() for _ in range(size)])))

    return follow


def _dict(machine: Machine, _: object) -> None:
    items = machine.pop_to_mark()
    machine.push({})
    _update(machine, items)


def _set_item(machine: Machine, _: object) -> None:
    value = machine.pop()
    _update(machine, [machine.pop(), value])


def _set_items(machine: Machine, _: object) -> None:
    _update(machine, machine.pop_to_mark())


def _update(machine: Machine, items: list[Any]) -> None:
    target = machine.top()
    for key, value in zip(items[::2], items[1::2], strict=False):
        if key == versions.SKLEARN_KEY and isinstance(value, str):
            machine.found.versions.add(Version("sklearn", value))
        if isinstance(target, dict) and isinstance(key, str) and len(target) < MOST_KEPT:
            target[key] = value


CONTAINERS: Mapping[str, Instruction] = {
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "LIST": _list,
    "APPEND": _append,
    "APPENDS": _appends,
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE": _tuple,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "DICT": _dict,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
}
