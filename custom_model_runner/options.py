"""An option declared once: flag, variable, help, parser and default live beside the field that holds it."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from custom_model_runner import parameters, parsers
from custom_model_runner.errors import UsageError


class Missing(UsageError):
    """An option is not given that has to be."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with a command line below its usage, in a line like that of every other failure."""

    def error(self, message: str) -> NoReturn:
        """Have the command line be a usage error."""
        self.print_usage(sys.stderr)
        raise UsageError(message)

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        """Let words short for an option stay so when the names of others begin with its name."""
        found = super()._get_option_tuples(option_string)
        return [one for one in found if all(other[1].startswith(one[1]) for other in found)] or found


@dataclass(frozen=True)
class Option:
    """How a field is given: by flags, by a variable, or by a runtime parameter that beats both.

    `fallback` is the variable that is read where the first one is empty; `bare` is what a flag without a value means,
    if that is allowed; a secret value is kept out of the output.
    """

    flags: tuple[str, ...]
    help: str
    parse: Callable[[Any], Any] = str
    metavar: str | None = None
    variable: str | None = None
    fallback: str | None = None
    parameter: str | None = None
    is_switch: bool = False
    takes_many: bool = False
    bare: str | None = None
    choices: tuple[str, ...] | None = None
    required: bool = False
    yields_to: str | None = None
    is_secret: bool = False

    @property
    def name(self) -> str:
        """The name used in messages: the long flag, else the variable."""
        return self.flags[-1] if self.flags else str(self.variable)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that are read, in order."""
        return tuple(name for name in (self.variable, self.fallback) if name)


def option(*flags: str, default: Any = None, **facts: Any) -> Any:
    """Declare a field of a settings section together with the option that sets it."""
    return dataclasses.field(default=default, metadata={"option": Option(flags, **facts)})


def options(section: type) -> dict[str, Option]:
    """Return the options of a section by field name."""
    return {field.name: field.metadata["option"] for field in dataclasses.fields(section)}


def add_to(parser: argparse.ArgumentParser, section: type) -> None:
    """Give a parser the flags of a section; values stay text until `read`."""
    # Left out is not None: `drum new --verbose model` says it one word earlier.
    absent = argparse.SUPPRESS
    for name, declared in options(section).items():
        if not declared.flags:
            continue
        text = declared.help + "".join(f" [variable: {variable}]" for variable in declared.variables)
        if declared.is_switch:
            parser.add_argument(*declared.flags, dest=name, action="store_true", default=absent, help=text)
        else:
            parser.add_argument(
                *declared.flags,
                dest=name,
                default=absent,
                metavar=declared.metavar,
                nargs="+" if declared.takes_many else None if declared.bare is None else "?",
                const=declared.bare,
                choices=declared.choices,
                # Where a variable may give it, only `read` knows that it is missing.
                required=declared.required and not declared.variables,
                help=text,
            )


Section = TypeVar("Section")


def read(section: type[Section], given: Mapping[str, Any], environ: Mapping[str, str]) -> Section:
    """Build a section from flags and variables; a flag beats its variable, and an empty variable is none."""
    return section(**_values(options(section), given, environ))


def renew(section: Section, given: Mapping[str, Any], environ: Mapping[str, str]) -> Section:
    """Return a section with those options read again that a runtime parameter may give; others may come from pipes."""
    declared = {name: one for name, one in options(type(section)).items() if one.parameter is not None}
    kept = {name: value for name, value in vars(section).items() if name not in declared}
    return type(section)(**kept, **_values(declared, given, environ))


def _values(declared: Mapping[str, Option], given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of options by field name; those that are not given are left out."""
    values = {}
    for name, one in declared.items():
        rival_is_given = one.yields_to is not None and given.get(one.yields_to) is not None
        source, raw = _pick(one, given.get(name), environ, rival_is_given)
        if raw is not None:
            values[name] = _parse(one, source, raw)
        elif one.required:
            raise Missing(f"the following arguments are required: {'/'.join(one.flags)}")
    return values


def secrets(sections: Iterable[Any]) -> tuple[str, ...]:
    """Return the values in sections that must not be shown."""
    return tuple(
        text
        for section in sections
        for name, declared in options(type(section)).items()
        if declared.is_secret and (value := getattr(section, name)) is not None
        for text in (value if declared.takes_many else (value,))
    )


def _pick(declared: Option, flag: Any, environ: Mapping[str, str], rival_is_given: bool) -> tuple[str, Any]:
    """Return where a value comes from and the value as it was written."""
    if declared.parameter is not None:
        payload = _payload(declared.parameter, environ)
        if payload is not None:
            return f"runtime parameter {declared.parameter}", str(payload)
    if flag is not None:
        return declared.name, flag
    for variable in () if rival_is_given else declared.variables:
        if text := environ.get(variable, ""):
            return f"variable {variable}", text.split() if declared.takes_many else text
    return declared.name, None


def _payload(name: str, environ: Mapping[str, str]) -> Any:
    text = environ.get(parameters.PREFIX + name)
    try:
        payload = parameters.parse(name, text) if text else None
    except ValueError as error:
        raise UsageError(str(error)) from error
    return int(payload) if isinstance(payload, float) and payload.is_integer() else payload


def _parse(declared: Option, source: str, raw: Any) -> Any:
    if declared.is_switch:
        return raw if isinstance(raw, bool) else _value(parsers.truth, source, raw)
    if declared.choices and raw not in declared.choices:
        raise UsageError(f"{source}: invalid value {raw!r}, expected one of: {', '.join(declared.choices)}")
    return _value(declared.parse, source, raw)


def _value(parse: Callable[[Any], Any], source: str, raw: Any) -> Any:
    try:
        return parse(raw)
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from error
