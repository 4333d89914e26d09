"""Structs of the compact protocol, whole and broken."""

from __future__ import annotations

import struct

import pytest

from custom_model_runner.data.thrift import Reader

BROKEN = (ValueError, IndexError)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00", {}),
        (b"\x11\x12\x00", {1: True, 2: False}),
        (b"\x13\x7f\x00", {1: 127}),
        (b"\x15\x04\x15\x03\x00", {1: 2, 2: -2}),
        (b"\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", {1: -(2**63)}),
        (b"\x17" + struct.pack("<d", 0.1) + b"\x00", {1: 0.1}),
        (b"\x18\x03abc\x00", {1: b"abc"}),
        (b"\x19\x35\x02\x04\x06\x00", {1: [1, 2, 3]}),
        (b"\x1a\x12\x01\x00", {1: [1]}),
        (b"\x19\xf5\x10" + b"\x02" * 16 + b"\x00", {1: [1] * 16}),
        (b"\x1c\x15\x02\x00\x15\x04\x00", {1: {1: 1}, 2: 2}),
        (b"\x05\xc8\x01\x02\x15\x04\x00", {100: 1, 101: 2}),
        (b"\xf5\x02\xf5\x04\x00", {15: 1, 30: 2}),
    ],
)
def test_a_struct_is_a_dict_of_its_fields(data: bytes, expected: dict[int, object]) -> None:
    reader = Reader(b"before" + data + b"behind", 6)
    assert reader.struct() == expected
    assert reader.position == 6 + len(data)


def test_a_view_gives_bytes() -> None:
    assert Reader(memoryview(b"\x18\x03abc\x00")).struct() == {1: b"abc"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",
        b"\x15\x80",
        b"\x18\x05abc",
        b"\x18\xff\xff\xff\xff\x0f",
        b"\x17\x00\x00",
        b"\x19\xf5\xff\xff\xff\xff\x0fabc",
        b"\x15" + b"\x80" * 20,
        b"\x1b\x00\x00",
        b"\x1f\x00",
        b"\x1c" * 100_000,
        b"\x19" * 100_000,
    ],
)
def test_what_is_broken_is_an_error_without_an_end_to_memory_or_stack(data: bytes) -> None:
    with pytest.raises(BROKEN):
        Reader(data).struct()
