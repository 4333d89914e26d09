"""Labels of a model matched with labels that were asked for."""

from __future__ import annotations

import pytest

from custom_model_runner.data import labels
from custom_model_runner.errors import ContractError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", " 1 "),
        ("01", "1"),
        ("1e2", "100"),
        ("TRUE", "true"),
        ("True", "1"),
        ("yes", "1.0"),
        ("on", "t"),
        ("False", "0"),
        ("no", "off"),
        ("Cat", "cAT"),
    ],
)
def test_two_ways_to_write_a_label_are_one(one: str, other: str) -> None:
    assert labels.standard(one) == labels.standard(other)


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ("yes", "no"), ("cat", "dog"), ("f", "false"), ("1", "l")])
def test_different_labels_stay_different(one: str, other: str) -> None:
    assert labels.standard(one) != labels.standard(other)


@pytest.mark.parametrize(
    ("found", "expected", "aligned"),
    [
        (["no", "yes"], ["no", "yes"], ("no", "yes")),
        (["yes", "no"], ["no", "yes"], ("yes", "no")),
        (["No", "YES"], ["no", "yes"], ("no", "yes")),
        ([0, 1], ["0.0", "1.0"], ("0.0", "1.0")),
        ([1, 0], ["False", "True"], ("True", "False")),
        ([0, 1], ["no", "yes"], ("no", "yes")),
        ([False, True], ["0", "1"], ("0", "1")),
        (["c", "A", "b"], ["a", "b", "c"], ("c", "a", "b")),
        (["1", "01"], ["01", "1"], ("1", "01")),
    ],
)
def test_labels_take_the_spelling_that_was_asked_for_in_the_model_s_order(
    found: list[object], expected: list[str], aligned: tuple[str, ...]
) -> None:
    assert labels.align(found, expected) == aligned


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["no", "maybe"], ["no", "yes"]),
        (["yes"], ["no", "yes"]),
        (["a", "b", "c"], ["a", "b"]),
        (["a", "A"], ["a", "b"]),
        (["yes", "yes"], ["no", "yes"]),
        (["1", "1.0"], ["1", "01"]),
    ],
)
def test_other_labels_break_the_contract(found: list[object], expected: list[str]) -> None:
    with pytest.raises(ContractError, match="Expected predictions to have columns"):
        labels.align(found, expected)


def test_the_complaint_shows_the_positive_label_first() -> None:
    with pytest.raises(ContractError) as caught:
        labels.align(["a", "b"], ["no", "yes"])
    assert str(caught.value) == "Expected predictions to have columns ['yes', 'no'], but encountered ['a', 'b']"
