"""Kinds of values: what each takes, and how it says no."""

from __future__ import annotations

from typing import Any

import pytest

from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import entries
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import (
    Key,
    Kind,
    anything,
    list_of,
    mapping,
    members,
    number,
    one_of,
    one_or_list_of,
    text,
    truth,
    whole,
)


def value(written: str) -> Entry:
    return members(entries.parse(f"a: {written}", "f"))["a"]


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (text, "no", "no"),
        (truth, "Yes", True),
        (truth, "false", False),
        (whole, "-3", -3),
        (number, "3", 3),
        (number, "2.5e-1", 0.25),
        (number, ".5", 0.5),
        (anything, "{b: [1]}", {"b": ["1"]}),
        (one_of("x", "y"), "y", "y"),
        (list_of(whole), "[1, 2]", [1, 2]),
        (one_or_list_of(whole), "[1]", [1]),
        (one_or_list_of(whole), "1", 1),
        (mapping({"b": Key(whole), "c": Key(text)}), "{b: 1}", {"b": 1}),
    ],
)
def test_a_kind_returns_the_plain_value(kind: Kind[Any], written: str, expected: object) -> None:
    found = kind(value(written))
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "written", "words"),
    [
        (text, "[x]", "a: expected a text, found a list"),
        (truth, "perhaps", "a: 'perhaps' is not a truth value, expected 'true' or 'false'"),
        (truth, "{b: c}", "a: expected a text, found keys and values"),
        (whole, "1.0", "a: '1.0' is not a whole number"),
        (whole, "1_000", "a: '1_000' is not a whole number"),
        (whole, "", "a: '' is not a whole number"),
        (number, "high", "a: 'high' is not a number"),
        (number, "nan", "a: 'nan' is not a number"),
        (number, "1e999", "a: '1e999' is too large a number"),
        (one_of("left", "right"), "rigth", "a: found 'rigth', expected one of: left, right; did you mean 'right'?"),
        (one_of("left", "right"), "up", "a: found 'up', expected one of: left, right"),
        (list_of(whole), "3", "a: expected a list, found '3'"),
        (list_of(whole), "[3, x]", "a[1]: 'x' is not a whole number"),
        (one_or_list_of(whole), "{b: c}", "a: expected a text, found keys and values"),
        (mapping({"size": Key(whole)}), "x", "a: expected keys and values, found 'x'"),
        (mapping({"size": Key(whole)}), "{size: x}", "a.size: 'x' is not a whole number"),
        (mapping({"size": Key(whole)}), "{Seize: 1}", "a: unknown key 'Seize'; did you mean 'size'?"),
        (mapping({"size": Key(whole), "b": Key(text)}), "{colour: 1}", "a: unknown key 'colour'; known: size, b"),
        (mapping({"b": Key(text, required=True)}), "{}", "a: the key 'b' is missing"),
        (mapping({"b": Key(text, required=True)}), "{b: }", "a.b: is empty"),
    ],
)
def test_a_kind_says_where_and_what_is_wrong(kind: Kind[Any], written: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        kind(value(written))
    assert str(caught.value) == f"f:1: {words}"


def test_an_unknown_key_is_told_its_own_line() -> None:
    with pytest.raises(LoadError, match=r"^f:3: unknown key 'c'"):
        mapping({"a": Key(anything)})(entries.parse("a:\n  - b\nc: d", "f"))
