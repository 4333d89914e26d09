"""What an unstructured hook returns, and how it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from custom_model_runner.data import reply
from custom_model_runner.errors import ContractError


@pytest.mark.parametrize(
    ("result", "body", "content_type"),
    [
        ("café", "café".encode(), "text/plain; charset=utf-8"),
        (b"\x00\xff", b"\x00\xff", "application/octet-stream"),
        (None, b"", "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
        (b"", b"", "application/octet-stream"),
        (("café", None), "café".encode(), "text/plain; charset=utf-8"),
        (("café", {}), "café".encode(), "text/plain; charset=utf-8"),
        (("café", {"mimetype": "text/html"}), "café".encode(), "text/html; charset=utf-8"),
        (("café", {"charset": "latin-1"}), b"caf\xe9", "text/plain; charset=latin-1"),
        (("é", {"mimetype": "a/b", "charset": "UTF-16-LE"}), b"\xe9\x00", "a/b; charset=UTF-16-LE"),
        (("é", {"mimetype": None, "charset": None}), "é".encode(), "text/plain; charset=utf-8"),
        ((b"\xff", None), b"\xff", "application/octet-stream"),
        ((b"\xff", {"mimetype": "image/png"}), b"\xff", "image/png"),
        ((b"\xff", {"charset": "utf8"}), b"\xff", "application/octet-stream; charset=utf8"),
        ((None, {"mimetype": "text/html"}), b"", "text/html; charset=utf-8"),
    ],
)
def test_a_return_value_becomes_a_body_and_a_content_type(result: Any, body: bytes, content_type: str) -> None:
    read = reply.read(result)
    assert (read.body, read.content_type) == (body, content_type)


@pytest.mark.parametrize(("result", "expected"), [(None, True), ((None, None), True), ("", False), (b"", False)])
def test_nothing_is_told_from_an_empty_text(result: Any, expected: bool) -> None:
    assert reply.read(result).is_none is expected


@pytest.mark.parametrize(("result", "expected"), [("x", True), (None, True), (b"x", False), ((b"x", None), False)])
def test_text_is_told_from_bytes(result: Any, expected: bool) -> None:
    assert reply.read(result).is_text is expected


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (5, "returned int as data, expected str or bytes"),
        ({"a": 1}, "returned dict as data"),
        (["x"], "returned list as data"),
        (bytearray(b"x"), "returned bytearray as data"),
        ((5, None), "returned int as data"),
        (("x",), "a tuple of 1 values, expected 2"),
        (("x", {}, "y"), "a tuple of 3 values, expected 2"),
        ((), "a tuple of 0 values, expected 2"),
        (("x", "text/html"), "returned str beside the data, expected a dict"),
        (("x", {"charset": "klingon"}), "the unknown charset 'klingon'"),
        (("café", {"charset": "ascii"}), "cannot be written in ascii"),
        (("x", {"mimetype": "text/\u20ac"}), "'mimetype' that cannot stand in a header"),
        (("x", {"mimetype": 5}), "'mimetype' that cannot stand in a header"),
        (("x", {"mimetype": "a/b\r\nSet-Cookie: c"}), "'mimetype' that cannot stand in a header"),
        (("x\ud800", None), "cannot be written in utf-8"),
    ],
)
def test_another_return_value_breaks_the_contract(result: Any, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        reply.read(result)
