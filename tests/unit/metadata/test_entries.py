"""YAML as it is written: texts, lines and paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import entries
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import items, members


def fault(text: str) -> str:
    with pytest.raises(LoadError) as caught:
        entries.parse(text, "a.yaml")
    return str(caught.value)


def at(root: Entry, *steps: str | int) -> Entry:
    for step in steps:
        root = members(root)[step] if isinstance(step, str) else items(root)[step]
    return root


def test_every_scalar_is_the_text_that_is_written() -> None:
    root = entries.parse("a: no\nb: 1.0\nc: ~\nd:\n1: 2020-01-01\n", "a.yaml")
    assert root.plain() == {"a": "no", "b": "1.0", "c": "~", "d": "", "1": "2020-01-01"}


def test_flow_style_is_read_like_block_style() -> None:
    flow, block = entries.parse("a: {b: [c, d]}", "f"), entries.parse("a:\n  b:\n    - c\n    - d\n", "f")
    assert flow.plain() == block.plain() == {"a": {"b": ["c", "d"]}}


def test_an_entry_knows_the_line_of_its_key_and_the_keys_that_lead_to_it() -> None:
    root = entries.parse("a: 1\n\n# more\nb:\n  - x\n  - c:\n      - y\n", "a.yaml")
    places = [("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "c", 0)]
    found = {at(root, *steps).path: at(root, *steps).line for steps in places}
    assert found == {"a": 1, "b": 4, "b[0]": 5, "b[1].c": 6, "b[1].c[0]": 7}


def test_a_fault_names_file_line_and_key() -> None:
    entry = at(entries.parse("a:\n  b: c", "a.yaml"), "a", "b")
    assert str(entry.fault("is wrong")) == "a.yaml:2: a.b: is wrong"


def test_a_key_that_is_given_twice_names_both_lines() -> None:
    assert fault("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n") == ("a.yaml:5: b: the key 'c' is given twice, first in line 3")


def test_anchors_are_followed() -> None:
    assert entries.parse("a: &x [1]\nb: *x", "f").plain() == {"a": ["1"], "b": ["1"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: c: d\n", "a.yaml:2: is not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: is not YAML: but found another document"),
        ("a: \x01", "a.yaml: is not YAML: it holds a character that YAML forbids"),
        ("a:\n  - &x [*x]", "a.yaml:2: a[0][0]: a value holds itself"),
        ("? [a]\n: b", "a.yaml:1: a key must be a text"),
        ("[" * 5000, "a.yaml: is nested too deeply"),
    ],
)
def test_what_is_no_plain_tree_of_texts_is_one_line(text: str, words: str) -> None:
    assert fault(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [("a:", "nothing"), ("a: b", "'b'"), ("a: [b]", "a list"), ("a: {b: c}", "keys and values")],
)
def test_an_entry_is_named_in_a_message(text: str, words: str) -> None:
    assert at(entries.parse(text, "f"), "a").found == words


def test_a_file_that_is_one_text_is_not_shown() -> None:
    assert entries.parse("swordfish", "f").found == "a text"


def test_a_long_text_is_cut_in_a_message() -> None:
    assert at(entries.parse(f"a: {'x' * 1000}", "f"), "a").found == f"'{'x' * 60}...'"


def test_an_empty_file_holds_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# nothing\n")
    assert entries.read(tmp_path / "a.yaml") == Entry("a.yaml", 1, "", "")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1", encoding="utf-8-sig")
    assert entries.read(tmp_path / "a.yaml").plain() == {"a": "1"}


def test_a_file_that_is_not_there_or_not_utf8_is_a_load_error(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"^a\.yaml cannot be read: No such file or directory$"):
        entries.read(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_bytes(b"a: \xff")
    with pytest.raises(LoadError, match=r"^a\.yaml is not UTF-8 text$"):
        entries.read(tmp_path / "a.yaml")
