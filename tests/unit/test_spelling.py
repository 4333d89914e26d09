"""Near names."""

from __future__ import annotations

import pytest

from custom_model_runner import spelling
from custom_model_runner.target_type import TargetType


@pytest.mark.parametrize(
    ("word", "expected"), [("petal_widht", "petal_width"), ("PETALWIDTH", "petal_width"), ("age", "Age"), ("x", None)]
)
def test_the_nearest_known_word_is_found(word: str, expected: str | None) -> None:
    assert spelling.nearest(word, ["petal_length", "petal_width", "Age"]) == expected


def test_a_member_of_an_enumeration_is_told_as_its_word() -> None:
    assert repr(spelling.nearest("multilable", TargetType)) == "'multilabel'"


def test_a_hint_names_the_nearest_word_else_all() -> None:
    assert spelling.hint("nmae", ["name", "type"]) == "did you mean 'name'?"
    assert spelling.hint("x", ["name", "type"]) == "known: name, type"


def test_a_word_is_quoted_and_cut_where_it_is_long() -> None:
    assert spelling.quoted("it's") == '"it\'s"'
    assert spelling.quoted("x" * 61) == f"'{'x' * 60}...'"
