"""Sections of `model-metadata.yaml` that are written for the author."""

from __future__ import annotations

from typing import Any

import yaml

HEAD = """\
# Inferred from {source} ({rows} rows): look through it before you rely on it.
# Take out the columns that are only there for training, such as the target.
# A value may be missing where "null" stands; columns that "required" does not list may be left out.
# Columns that are not listed here are kept; extraColumns: drop or extraColumns: refuse changes that.
"""


def input_schema(raw: dict[str, Any], *, source: str, rows: int) -> str:
    """Return a schema as the lines that say it, with what to look through."""
    # Words that YAML would take for something else come in quotes, so that any reader takes them for text.
    # Line ends of other alphabets would not read back as they are.
    is_plain = all(map(str.isprintable, raw["properties"]))
    lines = yaml.safe_dump({"inputSchema": raw}, sort_keys=False, allow_unicode=is_plain, width=1000)
    name = "".join(letter if letter.isprintable() else "?" for letter in source)
    return HEAD.format(source=name, rows=rows) + lines
