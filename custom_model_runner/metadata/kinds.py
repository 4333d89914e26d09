"""Kinds of values: each takes an entry of a YAML file and returns its plain value, or says what is wrong and where.

A table of keys is data: `mapping({"name": Key(text, required=True), "size": Key(whole)})`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from custom_model_runner import parsers, spelling
from custom_model_runner.metadata.entries import Entry

T = TypeVar("T")
Kind = Callable[[Entry], T]


@dataclass(frozen=True)
class Key:
    """One key of a table: what its value is, and whether it must be there and not be empty."""

    kind: Kind[Any]
    required: bool = False


def text(entry: Entry) -> str:
    """Return a text, as it is written."""
    if not isinstance(entry.value, str):
        raise entry.fault(f"expected a text, found {entry.found}")
    return entry.value


def parsed(parse: Callable[[str], T]) -> Kind[T]:
    """Return the kind of a text that a parser understands; the parser raises ValueError with what it expects."""

    def kind(entry: Entry) -> T:
        try:
            return parse(text(entry))
        except ValueError as error:
            raise entry.fault(str(error)) from error

    return kind


truth: Kind[bool] = parsed(parsers.truth)
whole: Kind[int] = parsed(parsers.whole)
number: Kind[int | float] = parsed(parsers.number)


def anything(entry: Entry) -> Any:
    """Return whatever is there; every scalar is a text."""
    return entry.plain()


def one_of(*words: str) -> Kind[str]:
    """Return the kind of one of these words, in this case of letters."""

    def kind(entry: Entry) -> str:
        word = text(entry)
        if word not in words:
            near = spelling.nearest(word, words)
            meant = f"; did you mean {near!r}?" if near else ""
            raise entry.fault(f"found {entry.found}, expected one of: {', '.join(words)}{meant}")
        return word

    return kind


def items(entry: Entry) -> tuple[Entry, ...]:
    """Return the entries of a list."""
    if not isinstance(entry.value, tuple):
        raise entry.fault(f"expected a list, found {entry.found}")
    return entry.value


def list_of(kind: Kind[T]) -> Kind[list[T]]:
    """Return the kind of a list whose items are of one kind."""
    return lambda entry: [kind(item) for item in items(entry)]


def one_or_list_of(kind: Kind[T]) -> Kind[T | list[T]]:
    """Return the kind of a single value or a list of such values."""
    return lambda entry: list_of(kind)(entry) if isinstance(entry.value, tuple) else kind(entry)


def members(entry: Entry) -> Mapping[str, Entry]:
    """Return the entries of keys and values, by key."""
    if not isinstance(entry.value, Mapping):
        raise entry.fault(f"expected keys and values, found {entry.found}")
    return entry.value


def mapping(keys: Mapping[str, Key]) -> Kind[dict[str, Any]]:
    """Return the kind of keys and values that a table allows; an unknown key is told its nearest known one."""

    def kind(entry: Entry) -> dict[str, Any]:
        found = members(entry)
        refuse_unknown(entry, keys)
        for name, key in keys.items():
            if key.required and (name not in found or found[name].value == ""):
                raise found.get(name, entry).fault(f"the key {name!r} is missing" if name not in found else "is empty")
        return {name: keys[name].kind(value) for name, value in found.items()}

    return kind


def refuse_unknown(entry: Entry, known: Iterable[str]) -> None:
    """Refuse keys that are not known."""
    names = list(known)
    for name, value in members(entry).items():
        if name not in names:
            place = Entry(entry.file, value.line, entry.path, "")
            raise place.fault(f"unknown key {name!r}; {spelling.hint(name, names)}")
