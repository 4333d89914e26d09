"""What a pickle would import, told from its opcodes without running any.

The opcodes, the form of their arguments and what each does to the stack come from the standard library's
`pickletools`; the functions here and beside follow the values that can lead to a name.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Mapping
from typing import Any

from custom_model_runner.artifacts import arrays
from custom_model_runner.artifacts.containers import CONTAINERS
from custom_model_runner.artifacts.machine import BROKEN, Findings, Instruction, Machine
from custom_model_runner.artifacts.memory import MEMORY
from custom_model_runner.artifacts.stream import LONG, Ended, Stream
from custom_model_runner.artifacts.texts import TEXTS
from custom_model_runner.artifacts.values import Global, Made, called, kept

MOST_OPCODES = 20_000_000

# Functions that reach further names, or run what stands in the pickle.
REACHES = frozenset(
    {
        *(f"builtins.{name}" for name in ("__import__", "compile", "eval", "exec", "getattr")),
        *(f"__builtin__.{name}" for name in ("__import__", "apply", "compile", "eval", "execfile", "getattr")),
        *("importlib.import_module", "operator.attrgetter", "operator.methodcaller", "types.CodeType"),
        *("_pickle.loads", "pickle.loads", "marshal.loads", "dill._dill._create_code", "dill._dill.loads"),
        *("cloudpickle.cloudpickle._builtin_type", "cloudpickle.cloudpickle._make_function"),
    }
)


def read(
    stream: Stream, found: Findings, *, has_arrays: bool, pickles: int = 1, most_opcodes: int = MOST_OPCODES
) -> None:
    """Add what pickles that follow one another would import; what cannot be told is written down as unknown."""
    for _ in range(pickles):
        start = stream.position
        try:
            found.roots.append(_run(Machine(stream, found, has_arrays), most_opcodes))
        except Ended as reason:
            if start and stream.position == start:
                # The last pickle was whole, and nothing follows it.
                return
            found.give_up(f"whatever follows byte {stream.position}: {reason}", reason)
            return


def _run(machine: Machine, most_opcodes: int) -> Any:
    """Return what a pickle holds."""
    for _ in range(most_opcodes):
        code = machine.stream.read(1)
        if code == pickle.STOP:
            return machine.pop()
        if code not in OPCODES:
            raise Ended(BROKEN)
        opcode, follow = OPCODES[code]
        argument = machine.argument(opcode)
        if follow is None:
            machine.replace(opcode)
        else:
            follow(machine, argument)
    raise Ended(LONG)


def _name(machine: Machine, module: object, name: object) -> None:
    if not isinstance(module, str) or not isinstance(name, str):
        machine.push_unknown("a name that is put together")
        return
    found = Global(module, name)
    machine.found.globals[found] = None
    if str(found) in REACHES:
        machine.found.unknown[f"what {found} leads to"] = None
    if machine.has_arrays and name.rpartition(".")[2] == arrays.NAME and not arrays.is_stand_in(found):
        raise Ended(f"{found} may stand for an array")
    machine.push(found)


def _two_lines(machine: Machine, line: bytes) -> tuple[str, str]:
    try:
        return line.decode("utf-8"), machine.stream.line().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Ended(BROKEN) from error


def _global(machine: Machine, line: bytes) -> None:
    _name(machine, *_two_lines(machine, line))


def _stack_global(machine: Machine, _: object) -> None:
    name = machine.pop()
    _name(machine, machine.pop(), name)


def _extension(machine: Machine, data: bytes) -> None:
    machine.push_unknown(f"what the extension code {int.from_bytes(data, 'little')} stands for")


def _persistent(machine: Machine, line: bytes) -> None:
    machine.push_unknown("what a persistent id stands for")


def _persistent_on_stack(machine: Machine, _: object) -> None:
    machine.pop()
    _persistent(machine, b"")


def _reduce(machine: Machine, _: object) -> None:
    arguments = machine.pop()
    _call(machine, machine.pop(), arguments)


def _new_object_with_keywords(machine: Machine, _: object) -> None:
    machine.pop()
    _reduce(machine, _)


def _old_object(machine: Machine, _: object) -> None:
    items = machine.pop_to_mark()
    if not items:
        raise Ended(BROKEN)
    _call(machine, items[0], kept(items[1:]))


def _instance(machine: Machine, line: bytes) -> None:
    names = _two_lines(machine, line)
    arguments = kept(machine.pop_to_mark())
    _name(machine, *names)
    _call(machine, machine.pop(), arguments)


def _call(machine: Machine, function: object, arguments: object) -> None:
    if isinstance(function, Global):
        machine.push(called(function, arguments))
    else:
        machine.push_unknown("what is called")


def _build(machine: Machine, _: object) -> None:
    state = machine.pop()
    made = machine.top()
    if isinstance(made, Made):
        made.state = state
    if machine.has_arrays and isinstance(made, Made) and arrays.is_stand_in(made.maker):
        _pass_over_array(machine, state)


def _pass_over_array(machine: Machine, state: object) -> None:
    layout = arrays.layout(state)
    # The bytes of the array stand behind the frame of its description.
    if layout is None or machine.stream.position < machine.frame_end:
        raise Ended("an array follows whose size is not told")
    if layout.has_objects:
        inner = Machine(machine.stream, machine.found, has_arrays=False)
        _run(inner, MOST_OPCODES)
    else:
        if layout.is_padded:
            machine.stream.skip(machine.stream.read(1)[0])
        machine.stream.skip(layout.size)
    machine.pop()
    machine.push(Made(Global("numpy", "ndarray")))


def _protocol(machine: Machine, data: bytes) -> None:
    machine.found.protocol = max(machine.found.protocol, data[0])
    if data[0] > pickle.HIGHEST_PROTOCOL:
        raise Ended(f"the protocol {data[0]} is newer than this Python")


def _frame(machine: Machine, data: bytes) -> None:
    machine.frame_end = machine.stream.position + int.from_bytes(data, "little")


# Every other opcode is followed as `pickletools` describes it.
INSTRUCTIONS: Mapping[str, Instruction] = {
    **TEXTS,
    **CONTAINERS,
    **MEMORY,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _reduce),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "PERSID": _persistent,
    "BINPERSID": _persistent_on_stack,
    "NEWOBJ_EX": _new_object_with_keywords,
    "OBJ": _old_object,
    "INST": _instance,
    "BUILD": _build,
    "PROTO": _protocol,
    "FRAME": _frame,
}
OPCODES: Mapping[bytes, tuple[pickletools.OpcodeInfo, Instruction | None]] = {
    opcode.code.encode("latin-1"): (opcode, INSTRUCTIONS.get(opcode.name)) for opcode in pickletools.opcodes
}
