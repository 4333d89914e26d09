"""A YAML file as it is written: each value with its line and the keys that lead to it.

Scalars stay the text that is written: the label 1.0 is not the label 1, nor `no` a truth value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custom_model_runner import spelling
from custom_model_runner.errors import LoadError


@dataclass(frozen=True)
class Entry:
    """One value of a file: a text, a list, or keys and values; a text may stand in quotes or in a block of its own."""

    file: str
    line: int
    path: str
    value: str | tuple[Entry, ...] | Mapping[str, Entry]
    is_quoted: bool = False

    def fault(self, words: str) -> LoadError:
        """Return the error that says where the value stands and what is wrong with it."""
        where = f"{self.path}: " if self.path else ""
        return LoadError(f"{self.file}:{self.line}: {where}{words}")

    @property
    def found(self) -> str:
        """Name the value in a message; a file that is one text could be anything, such as a key, and is not shown."""
        if isinstance(self.value, str):
            return "nothing" if not self.value else spelling.quoted(self.value) if self.path else "a text"
        return "a list" if isinstance(self.value, tuple) else "keys and values"

    def plain(self) -> Any:
        """Return the value as texts, lists and dicts."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        return {key: value.plain() for key, value in self.value.items()}


def read(path: Path) -> Entry:
    """Return what a file holds; a file that is no YAML in UTF-8 is a load error."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise LoadError(f"{path.name} is not UTF-8 text") from error
    except OSError as error:
        raise LoadError(f"{path.name} cannot be read: {error.strerror}") from error


def parse(text: str, file: str) -> Entry:
    """Return what a text holds; `file` is its name in messages."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise LoadError(f"{file}{line}: is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise LoadError(f"{file}: is not YAML: it holds a character that YAML forbids") from error
    except RecursionError as error:
        raise LoadError(f"{file}: is nested too deeply") from error
    if node is None:
        return Entry(file, 1, "", "")
    return _entry(node, Entry(file, 1, "", ""), ())


def of(value: Any, file: str, *, path: str = "") -> Entry:
    """Return the entry of what JSON held; it stands in line 1 of what `file` names."""
    if isinstance(value, list):
        return Entry(file, 1, path, tuple(of(item, file, path=f"{path}[{at}]") for at, item in enumerate(value)))
    if isinstance(value, dict):
        return Entry(file, 1, path, {k: of(v, file, path=f"{path}.{k}" if path else k) for k, v in value.items()})
    if value is None:
        return Entry(file, 1, path, "")
    return Entry(file, 1, path, value if isinstance(value, str) else json.dumps(value), isinstance(value, str))


def _entry(node: yaml.Node, place: Entry, above: tuple[yaml.Node, ...]) -> Entry:
    """Return the entry of a node that stands at a place, below other nodes."""
    if any(node is other for other in above):
        raise place.fault("a value holds itself")
    inside = (*above, node)
    value: str | tuple[Entry, ...] | Mapping[str, Entry]
    if isinstance(node, yaml.ScalarNode):
        value = str(node.value)
    elif isinstance(node, yaml.SequenceNode):
        value = tuple(
            _entry(item, Entry(place.file, item.start_mark.line + 1, f"{place.path}[{number}]", ""), inside)
            for number, item in enumerate(node.value)
        )
    else:
        value = _mapping(node, place, inside)
    is_quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
    return Entry(place.file, place.line, place.path, value, is_quoted)


def _mapping(node: yaml.Node, place: Entry, inside: tuple[yaml.Node, ...]) -> Mapping[str, Entry]:
    found: dict[str, Entry] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        here = Entry(place.file, line, place.path, "")
        if not isinstance(key, yaml.ScalarNode):
            raise here.fault("a key must be a text")
        name = str(key.value)
        if name in found:
            raise here.fault(f"the key {name!r} is given twice, first in line {found[name].line}")
        path = f"{place.path}.{name}" if place.path else name
        found[name] = _entry(value, Entry(place.file, line, path, ""), inside)
    return found
