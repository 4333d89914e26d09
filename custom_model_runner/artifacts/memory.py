"""The opcodes of a pickle that move values about: on the stack, and to and from the memo."""

from __future__ import annotations

from collections.abc import Mapping

from custom_model_runner.artifacts.machine import BROKEN, Instruction, Machine
from custom_model_runner.artifacts.stream import Ended
from custom_model_runner.artifacts.values import MARK


def _mark(machine: Machine, _: object) -> None:
    machine.push(MARK)


def _pop(machine: Machine, _: object) -> None:
    if machine.stack and machine.stack[-1] is MARK:
        machine.stack.pop()
    else:
        machine.pop()


def _duplicate(machine: Machine, _: object) -> None:
    machine.push(machine.top())


def _memoize(machine: Machine, _: object) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _put(machine: Machine, data: bytes) -> None:
    machine.memo[int.from_bytes(data, "little")] = machine.top()


def _get(machine: Machine, data: bytes) -> None:
    _recall(machine, int.from_bytes(data, "little"))


def _put_line(machine: Machine, line: bytes) -> None:
    machine.memo[_place(line)] = machine.top()


def _get_line(machine: Machine, line: bytes) -> None:
    _recall(machine, _place(line))


def _recall(machine: Machine, place: int) -> None:
    if place not in machine.memo:
        raise Ended(BROKEN)
    machine.push(machine.memo[place])


def _place(line: bytes) -> int:
    try:
        return int(line)
    except ValueError as error:
        raise Ended(BROKEN) from error


MEMORY: Mapping[str, Instruction] = {
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _get),
    "PUT": _put_line,
    "GET": _get_line,
    "MEMOIZE": _memoize,
    "MARK": _mark,
    "POP": _pop,
    "DUP": _duplicate,
}
