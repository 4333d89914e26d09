"""`hyperparameters`: the rules of each type, and the defaults."""

from __future__ import annotations

from typing import Any

import pytest

from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import entries, hyperparameters
from custom_model_runner.metadata.kinds import members


def check(*written: str) -> list[dict[str, Any]]:
    text = "hyperparameters:\n" + "".join(f"  - {one}\n" for one in written)
    return hyperparameters.check(members(entries.parse(text, "f"))["hyperparameters"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "{name: depth, type: int, min: -1, max: 5, default: 3}",
            {"name": "depth", "type": "int", "min": -1, "max": 5, "default": 3},
        ),
        ("{name: rate, type: float, min: 0, max: 1e3}", {"name": "rate", "type": "float", "min": 0.0, "max": 1000.0}),
        ("{name: a_b, type: string, default: }", {"name": "a_b", "type": "string", "default": ""}),
        (
            "{name: x, type: select, values: [no, 1.0], default: no}",
            {"name": "x", "type": "select", "values": ["no", "1.0"], "default": "no"},
        ),
        (
            "{name: m, type: multi, values: {int: {min: 0, max: 9}, select: {values: [a]}}}",
            {"name": "m", "type": "multi", "values": {"int": {"min": 0, "max": 9}, "select": {"values": ["a"]}}},
        ),
    ],
)
def test_a_parameter_of_each_type_has_numbers_as_numbers(written: str, expected: dict[str, Any]) -> None:
    (found,) = check(written)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


SEVERAL = "values: {int: {min: 0, max: 9}, float: {min: 20, max: 30}, select: {values: [a, 50]}}"


@pytest.mark.parametrize(("written", "expected"), [("9", 9), ("20", 20.0), ("2.5e1", 25.0), ("a", "a"), ("50", "50")])
def test_the_default_of_several_types_is_of_the_first_that_takes_it(written: str, expected: object) -> None:
    (found,) = check(f"{{name: m, type: multi, {SEVERAL}, default: {written}}}")
    assert (found["default"], type(found["default"])) == (expected, type(expected))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (
            "{name: param_int, type: int, min: 5, max: 5}",
            "Invalid int parameter param_int: max must be greater than min",
        ),
        ("{name: f, type: float, min: 1.5, max: 1}", "Invalid float parameter f: max must be greater than min"),
        (
            "{name: i, type: int, min: 0, max: 5, default: 6}",
            "Invalid int parameter i: the default must be from 0 to 5",
        ),
        (
            "{name: s, type: select, values: [a], default: b}",
            "Invalid select parameter s: the default must be one of its values",
        ),
        (
            "{name: m, type: multi, values: {float: {min: 2, max: 1}}}",
            "Invalid multi parameter m: max must be greater than min",
        ),
        (
            "{name: m, type: multi, values: {}}",
            "Invalid multi parameter m: values must hold at least one of: int, float",
        ),
        (
            f"{{name: m, type: multi, {SEVERAL}, default: 12}}",
            "Invalid multi parameter m: the default must be from 0 to 9 (int) or from 20.0 to 30.0 (float) or "
            "one of its values (select)",
        ),
    ],
)
def test_a_broken_rule_names_the_type_and_the_parameter(written: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        check(written)
    assert str(caught.value).startswith(f"f:2: hyperparameters[0]: {words}")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{type: int, min: 0, max: 1}", ": the key 'name' is missing"),
        ("{name: i, min: 0, max: 1}", ": the key 'type' is missing"),
        ("{name: i, type: integer, min: 0, max: 1}", ".type: found 'integer', expected one of: int, float, string, "),
        ("{name: i, type: int, max: 1}", ": the key 'min' is missing"),
        ("{name: i, type: int, min: 0.5, max: 1}", ".min: '0.5' is not a whole number"),
        ("{name: i, type: int, mni: 0, max: 1}", ": unknown key 'mni'; did you mean 'min'?"),
        ("{name: s, type: string, min: 0}", ": unknown key 'min'"),
        ("{name: s, type: select}", ": the key 'values' is missing"),
        ("{name: s, type: select, values: []}", ".values: found 0 values, expected 1 to 24"),
        (f"{{name: s, type: select, values: [{', '.join('a' * 25)}]}}", ".values: found 25 values, expected 1 to 24"),
        ("{name: s, type: select, values: ['  ']}", ".values: a value is blank"),
        (
            f"{{name: s, type: select, values: [{'x' * 1025}]}}",
            ".values[0]: found 1025 characters, expected at most 1024",
        ),
        (f"{{name: s, type: string, default: {'x' * 1025}}}", ".default: found 1025 characters"),
        ("{name: m, type: multi, values: {string: {}}}", ".values: unknown key 'string'; known: int, float, select"),
        ("{name: _a, type: string}", ".name: found '_a', expected at most 64 English letters and underscores"),
        ("{name: a_, type: string}", ".name: found 'a_'"),
        ("{name: a1, type: string}", ".name: found 'a1'"),
        (f"{{name: {'x' * 65}, type: string}}", ".name: found "),
        ("depth", ": expected keys and values, found 'depth'"),
    ],
)
def test_what_is_not_a_parameter_is_named_with_its_line(written: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        check("{name: first, type: string}", written)
    assert str(caught.value).startswith(f"f:3: hyperparameters[1]{words}")


def test_limits_are_inclusive() -> None:
    values = ", ".join("abcdefghijklmnopqrstuvwx")
    check(
        f"{{name: {'x' * 64}, type: string, default: {'y' * 1024}}}",
        f"{{name: s, type: select, values: [{values}]}}",
        "{name: i, type: int, min: 0, max: 5, default: 5}",
        "{name: f, type: float, min: 0, max: 5, default: 0}",
    )


def test_a_name_that_is_given_twice_is_an_error() -> None:
    with pytest.raises(LoadError, match=r"^f:3: hyperparameters\[1\]: the parameter 'a' is given twice"):
        check("{name: a, type: string}", "{name: a, type: int, min: 0, max: 1}")


def test_the_defaults_are_what_is_given_else_the_least_the_first_or_no_text() -> None:
    parameters = check(
        "{name: given, type: int, min: 0, max: 5, default: 3}",
        "{name: i, type: int, min: 1, max: 5}",
        "{name: f, type: float, min: 0.5, max: 5}",
        "{name: s, type: string}",
        "{name: v, type: select, values: [b, a]}",
        "{name: m, type: multi, values: {select: {values: [z]}, int: {min: 4, max: 9}}}",
        "{name: n, type: multi, values: {select: {values: [z]}, int: {min: 4, max: 9}, float: {min: 2, max: 3}}}",
    )
    found = hyperparameters.defaults(parameters)
    assert found == {"given": 3, "i": 1, "f": 0.5, "s": "", "v": "b", "m": 4, "n": 2.0}
