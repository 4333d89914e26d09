"""`runtimeParameterDefinitions`: which runtime parameters a model knows, and what may be given for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from custom_model_runner.credentials import MASK
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import Kind, items, members, number, one_of, one_or_list_of, text, truth

KEY = "runtimeParameterDefinitions"
# How YAML writes a value that is none, unless it stands in quotes.
NULLS = ("", "~", "null", "Null", "NULL")
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
CREDENTIAL_TYPE = "credentialType"


@dataclass(frozen=True)
class Definition:
    """One runtime parameter: its type, what holds without a value, and the bounds of its values, both inclusive."""

    name: str
    type: str
    entry: Entry
    default: Any = None
    allows_empty: bool = True
    least: int | float | None = None
    most: int | float | None = None
    credential_types: tuple[str, ...] = ()

    def value(self, entry: Entry) -> Any:
        """Return the value that is written at a place of a YAML file; one that the definition forbids is a fault."""
        if is_null(entry):
            return None
        value = PAYLOADS[self.type](entry)
        if self.type == "numeric":
            self._check_bounds(entry, float(value))
        if self.type == "credential":
            self._check_credential(entry, value[CREDENTIAL_TYPE])
        return value

    def _check_bounds(self, entry: Entry, value: float) -> None:
        if self.least is not None and value < self.least:
            raise entry.fault(f"value is less than {self.least}, its minValue")
        if self.most is not None and value > self.most:
            raise entry.fault(f"value is greater than {self.most}, its maxValue")

    def _check_credential(self, entry: Entry, kind: str) -> None:
        known = self.credential_types
        if known and kind.lower() not in (name.lower() for name in known):
            raise entry.fault(f"the credentialType is {kind!r}, expected: {' or '.join(known)}")


def is_null(entry: Entry) -> bool:
    """Say whether nothing is written, or a word that means so."""
    return not entry.is_quoted and isinstance(entry.value, str) and entry.value in NULLS


def _boolean(entry: Entry) -> bool:
    word = text(entry).lower()
    if word not in TRUTHS:
        raise entry.fault(f"found {entry.found}, expected true or false")
    return TRUTHS[word]


def _numeric(entry: Entry) -> int | float | str:
    """Return a number; one in quotes stays the text that is written."""
    value = number(entry)
    return str(entry.value) if entry.is_quoted else value


def _credential(entry: Entry) -> dict[str, Any]:
    # What was found is not told: it may be the secret itself.
    if not isinstance(entry.value, Mapping):
        raise entry.fault("expected the keys and values of a credential, found something else")
    kind = entry.value.get(CREDENTIAL_TYPE)
    if kind is None or not isinstance(kind.value, str) or not kind.value or is_null(kind):
        raise entry.fault(f"a credential needs the key {CREDENTIAL_TYPE!r} with the name of a type, such as basic")
    return {key: _free(value) for key, value in entry.value.items()}


def _free(entry: Entry) -> Any:
    """Return a value inside a credential: digits stay text, for a password may be made of them."""
    if isinstance(entry.value, tuple):
        return [_free(item) for item in entry.value]
    if isinstance(entry.value, Mapping):
        return {key: _free(value) for key, value in entry.value.items()}
    if is_null(entry):
        return None
    return entry.value if entry.is_quoted or entry.value not in ("true", "false") else entry.value == "true"


PAYLOADS: Mapping[str, Callable[[Entry], Any]] = {
    "string": text,
    "boolean": _boolean,
    "numeric": _numeric,
    "credential": _credential,
    "deployment": text,
}


def definitions(entry: Entry) -> tuple[Definition, ...]:
    """Return what the metadata defines; a definition that cannot be used is a load error."""
    found: dict[str, Definition] = {}
    for item in () if is_null(entry) else items(entry):
        definition = _definition(item)
        first = found.get(definition.name)
        if first is not None:
            raise item.fault(f"duplicated definition of {definition.name!r}, first in line {first.entry.line}")
        found[definition.name] = definition
    return tuple(found.values())


def check(entry: Entry) -> Any:
    """Return definitions that can be used as they are written, with the defaults of credentials masked."""
    found = definitions(entry)
    return [_shown(definition) for definition in found] or entry.plain()


def _shown(definition: Definition) -> dict[str, Any]:
    written: dict[str, Any] = definition.entry.plain()
    is_secret = definition.type == "credential" and definition.default is not None
    return {**written, "defaultValue": MASK} if is_secret else written


def _definition(item: Entry) -> Definition:
    given = {key: value for key, value in members(item).items() if not is_null(value)}

    def read(key: str, kind: Kind[Any], otherwise: Any = None) -> Any:
        return kind(given[key]) if key in given else otherwise

    for key in ("fieldName", "type"):
        if key not in given:
            raise item.fault(f"the key {key!r} is missing")
    definition = Definition(
        name=read("fieldName", _name),
        type=read("type", one_of(*PAYLOADS)),
        entry=item,
        allows_empty=read("allowEmpty", truth, True),
        least=read("minValue", number),
        most=read("maxValue", number),
        credential_types=read(CREDENTIAL_TYPE, _credential_types, ()),
    )
    if definition.least is not None and definition.most is not None and definition.least > definition.most:
        raise item.fault(f"minValue {definition.least} is greater than maxValue {definition.most}")
    return replace(definition, default=read("defaultValue", definition.value))


def _name(entry: Entry) -> str:
    name = text(entry)
    # It becomes part of the name of a variable.
    if "=" in name or "\0" in name:
        raise entry.fault(f"found {entry.found}, expected a name without '='")
    return name


def _credential_types(entry: Entry) -> tuple[str, ...]:
    given = one_or_list_of(text)(entry)
    return (given,) if isinstance(given, str) else tuple(given)
