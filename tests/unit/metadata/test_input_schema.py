"""`inputSchema` in the metadata: which schemas there are, and how one is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import entries, input_schema, written
from custom_model_runner.metadata.kinds import members


def check(text: str) -> dict[str, Any]:
    lines = "".join(f"  {line}\n" for line in text.splitlines())
    return input_schema.check(members(entries.parse(f"inputSchema:\n{lines}", "f"))["inputSchema"])


def test_a_schema_is_kept_as_it_is_written() -> None:
    found = check(
        "title: rows\n"
        "type: object\n"
        "properties:\n"
        "  no: {type: integer, description: how many}\n"
        "  b: {anyOf: [{type: string}, {type: null}]}\n"
        "  c: {type: [number, 'null'], minimum: 0}\n"
        "  d: {}\n"
        "required: [no]\n"
        "additionalProperties: false\n"
    )
    assert found == {
        "title": "rows",
        "type": "object",
        "properties": {
            "no": {"type": "integer", "description": "how many"},
            "b": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "c": {"type": ["number", "null"], "minimum": "0"},
            "d": {},
        },
        "required": ["no"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: array\nproperties: {}", "f:2: inputSchema.type: found 'array', expected one of: object"),
        ("type: object", "f:1: inputSchema: the key 'properties' is missing"),
        ("properties: {}", "f:1: inputSchema: the key 'type' is missing"),
        ("type: object\nproperties: [a]", "f:3: inputSchema.properties: expected keys and values, found a list"),
        (
            "type: object\nproperties:\n  a: text",
            "f:4: inputSchema.properties.a: expected keys and values, found 'text'",
        ),
        (
            "type: object\nproperties:\n  a:\n    type: int",
            "f:5: inputSchema.properties.a.type: found 'int', expected one of: string, integer, number, boolean, "
            "array, object, null; did you mean 'integer'?",
        ),
        (
            "type: object\nproperties:\n  a: {type: []}",
            "f:4: inputSchema.properties.a.type: found no type, expected at",
        ),
        (
            "type: object\nproperties:\n  a:\n    anyOf:\n      - type: text",
            "f:6: inputSchema.properties.a.anyOf[0].type: found 'text', expected one of: string, ",
        ),
        (
            "type: object\nproperties:\n  age: {}\nrequired:\n  - agee",
            "f:6: inputSchema.required[0]: 'agee' is not among the properties; did you mean 'age'?",
        ),
        (
            "type: object\nproperties: {}\nextraColumns: forbid",
            "f:4: inputSchema.extraColumns: found 'forbid', expected one of: keep, drop, refuse",
        ),
        (
            "type: object\nproperties: {}\nextraColumns: keep\nadditionalProperties: true",
            "f:1: inputSchema: give additionalProperties or extraColumns, not both",
        ),
        (
            "type: object\nproperties: {}\nextracolumns: keep",
            "f:4: inputSchema: unknown key 'extracolumns'; did you mean",
        ),
    ],
)
def test_what_is_no_schema_is_named_with_its_line(text: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        check(text)
    assert str(caught.value).startswith(words)


NAMES = st.one_of(
    st.text(), st.sampled_from(["no", "null", "1.0", "", " a ", "a: b", "- a", "#", "a\nb", "\u2028", "x" * 300])
)


@given(st.lists(NAMES, unique=True), st.text())
def test_what_is_written_reads_back_as_it_was(names: list[str], source: str) -> None:
    raw = {
        "type": "object",
        "properties": {name: {"anyOf": [{"type": "integer"}, {"type": "null"}]} for name in names},
        "required": names,
    }
    text = written.input_schema(raw, source=source, rows=3)
    entry = members(entries.parse(f"name: a\n\n{text}", "f"))["inputSchema"]
    if names:
        assert input_schema.check(entry) == raw
