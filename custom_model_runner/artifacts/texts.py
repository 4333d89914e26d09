"""The opcodes of a pickle that hold texts and numbers."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

from custom_model_runner.artifacts.machine import BROKEN, Instruction, Machine
from custom_model_runner.artifacts.stream import Ended
from custom_model_runner.artifacts.values import Plain


def _text(machine: Machine, data: bytes | None, encoding: str = "utf-8", errors: str = "surrogatepass") -> None:
    try:
        machine.push(Plain("str") if data is None else data.decode(encoding, errors))
    except UnicodeDecodeError as error:
        raise Ended(BROKEN) from error


def _raw_text(machine: Machine, line: bytes) -> None:
    _text(machine, line, "raw-unicode-escape")


def _old_text(machine: Machine, data: bytes | None) -> None:
    # Texts of Python 2 are opened as latin-1.
    _text(machine, data, "latin-1")


def _quoted_text(machine: Machine, line: bytes) -> None:
    try:
        _old_text(machine, codecs.escape_decode(line[1:-1])[0])
    except ValueError as error:
        raise Ended(BROKEN) from error


def _integer(machine: Machine, data: bytes) -> None:
    machine.push(int.from_bytes(data, "little"))


def _signed(machine: Machine, data: bytes) -> None:
    machine.push(int.from_bytes(data, "little", signed=True))


def _decimal(machine: Machine, line: bytes) -> None:
    try:
        machine.push(int(line.removesuffix(b"L")))
    except ValueError:
        machine.push(Plain("int"))


def _constant(value: object) -> Instruction:
    return lambda machine, _: machine.push(value)


TEXTS: Mapping[str, Instruction] = {
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _text),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _old_text),
    **dict.fromkeys(("BININT1", "BININT2"), _integer),
    **dict.fromkeys(("BININT", "LONG1"), _signed),
    **dict.fromkeys(("INT", "LONG"), _decimal),
    "UNICODE": _raw_text,
    "STRING": _quoted_text,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
}
