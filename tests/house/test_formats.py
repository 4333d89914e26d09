"""Formats: each media type and suffix of the table stands in docs/formats.md and in the API file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from custom_model_runner import plugins
from custom_model_runner.plugins import Format

from .tree import REPOSITORY, expect_none

DOCUMENT = REPOSITORY / "docs" / "formats.md"
API: dict[str, Any] = yaml.safe_load((REPOSITORY / "drum_server_api.yaml").read_text(encoding="utf-8"))


def names_of(formats: Mapping[str, Format]) -> set[str]:
    """Return every media type and suffix of a table."""
    return {name for line in formats.values() for name in (*line.reads, *line.writes, *line.suffixes) if name}


def document_complaints(formats: Mapping[str, Format], text: str) -> list[str]:
    """Name what a table has and the first table of a document has not, and the reverse."""
    rows = "\n".join(line for line in text.split("\n## ", maxsplit=1)[0].splitlines() if line.startswith("|"))
    there = set(re.findall(r"`([^` ]+)`", rows))
    known = names_of(formats)
    return [f"{name} is not in docs/formats.md" for name in sorted(known - there)] + [
        f"{name} is in docs/formats.md and in no line of FORMATS" for name in sorted(there - known)
    ]


def test_the_document_lists_the_formats_that_there_are() -> None:
    expect_none(document_complaints(plugins.FORMATS, DOCUMENT.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("| `a/b` |", ".b is not in docs/formats.md"),
        ("| `a/b` | `.b` | `c/d` |", "c/d is in docs/formats.md and in no line of FORMATS"),
    ],
)
def test_a_document_that_says_something_else_is_a_complaint(row: str, complaint: str) -> None:
    formats = {"b": Format("b", reads=("a/b",), suffixes={".b": "a/b"})}
    assert document_complaints(formats, row) == [complaint]


@pytest.mark.parametrize("body", ["Table", "TableAndTarget"])
def test_the_api_file_lists_the_media_types_of_tables_that_come_in(body: str) -> None:
    described = set(API["components"]["requestBodies"][body]["content"]) - {"multipart/form-data"}
    assert described == {name for line in plugins.FORMATS.values() for name in line.reads if name}


def test_the_api_file_lists_the_media_types_of_answers() -> None:
    described = set(API["components"]["responses"]["Predictions"]["content"])
    assert described == {name for line in plugins.FORMATS.values() for name in line.writes}
