"""Choose the command, build its settings, import it, run it; errors become exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn

from custom_model_runner import __version__, garbage, logs, options, parsers, plugins, settings
from custom_model_runner.errors import (
    EXIT_FAILURE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    Terminated,
    UsageError,
)


@dataclass(frozen=True)
class Around:
    """A function that runs a command in processes of its own, and the sections of settings that it reads."""

    run: str
    sections: tuple[type, ...]


@dataclass(frozen=True)
class Command:
    """A verb: the function that runs it, given its settings sections in order.

    `around` runs it in processes of its own: it is given the way to run it in one, and sections of settings for itself.
    `scratch` is the variable that names a folder which those processes share, as long as the run lasts.
    """

    run: str
    help: str
    sections: tuple[type, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    around: Around | None = None
    scratch: str | None = None


COMMANDS: Mapping[str, Command] = {
    "score": Command(
        "custom_model_runner.commands.score:run",
        "score a file with the model",
        (
            settings.ModelSettings,
            settings.DeliverySettings,
            settings.ScoreSettings,
            settings.MonitorSettings,
            settings.LogSettings,
        ),
    ),
    "server": Command(
        "custom_model_runner.commands.server:run",
        "serve the model over HTTP",
        (
            settings.ModelSettings,
            settings.DeliverySettings,
            settings.ServerSettings,
            settings.MonitorSettings,
            settings.LogSettings,
        ),
        settings.ONE_THREAD,
        Around("custom_model_runner.commands.server:supervise", (settings.ServerSettings,)),
        settings.METRICS_DIRECTORY,
    ),
    "doctor": Command(
        "custom_model_runner.commands.doctor:run",
        "tell what a folder is and what is wrong with it, without running its code",
        (settings.ModelSettings, settings.LogSettings),
    ),
    "new model": Command(
        "custom_model_runner.commands.new:run",
        "create a code directory to start from",
        (settings.NewModelSettings, settings.LogSettings),
    ),
    "new schema": Command(
        "custom_model_runner.commands.new_schema:run",
        "infer the schema of a table from a sample",
        (settings.NewSchemaSettings, settings.LogSettings),
    ),
}


class _NotAvailable(argparse.Action):
    """Refuses an option of the original that this version does not have."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: object, flag: str | None = None
    ) -> NoReturn:
        raise UsageError(f"{flag} is not available in this version")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; `parser` of what it parses is that of the last verb."""
    parser = options.Parser("drum", description="Score and serve the model in a folder.")
    parser.set_defaults(parser=parser)
    parser.add_argument("--version", action="version", version=f"drum {__version__}")
    verbs = parser.add_subparsers(dest="subparser_name")
    new = verbs.add_parser("new", help="create something to start from")
    new.set_defaults(parser=new)
    options.add_to(new, settings.LogSettings)
    kinds = new.add_subparsers(dest="kind")
    for name, command in COMMANDS.items():
        group, _, kind = name.rpartition(" ")
        _add_command((kinds if group else verbs).add_parser(kind, help=command.help, description=command.help), command)
    return parser


def _add_command(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.set_defaults(parser=parser)
    for section in command.sections:
        options.add_to(parser, section)
    for flag in settings.NOT_AVAILABLE:
        parser.add_argument(flag, nargs="?", action=_NotAvailable, help=argparse.SUPPRESS)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    snapshot = dict(os.environ if environ is None else environ)
    signal.signal(signal.SIGTERM, _terminate)
    # To a server it means another thing, and whoever runs under nohup does not want to hear of it.
    if words[:1] == ["score"] and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)
    _open_standard_streams()
    # Known before the words are parsed, since parsing may fail; it may be abbreviated like every option.
    asks = any(word.startswith("--show-s") and "--show-stacktrace".startswith(word) for word in words)
    show_stacktrace = asks or _is_on(snapshot, "SHOW_STACKTRACE")
    garbage.left_at_the_end()
    at_end = ExitStack()
    try:
        try:
            return _dispatch(words, snapshot, at_end)
        finally:
            sys.stdout.flush()
    except (KeyboardInterrupt, Terminated) as interruption:
        # A server is meant to be ended by a signal, even while it starts.
        is_server = words[:1] == ["server"]
        return EXIT_OK if is_server else getattr(interruption, "exit_code", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads the output has seen enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Exception as error:  # the last border: a user gets one line, not a traceback
        logs.failure(error, show_stacktrace=show_stacktrace)
        return getattr(error, "exit_code", EXIT_FAILURE)
    finally:
        at_end.close()


def _open_standard_streams() -> None:
    """Give descriptors 0 to 2 something to stand for, lest the next file that is opened gets one of them."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(null, "r" if descriptor == 0 else "w", encoding="utf-8"))  # noqa: SIM115


def _dispatch(words: Sequence[str], environ: Mapping[str, str], at_end: ExitStack) -> int:
    if words and words[0] in settings.COMMANDS_NOT_AVAILABLE:
        raise UsageError(f"the command '{words[0]}' is not available in this version")
    parsed, unknown = build_parser().parse_known_args(words)
    given = vars(parsed)
    parser: argparse.ArgumentParser = given.pop("parser")
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    name = " ".join(part for part in (given.pop("subparser_name"), given.pop("kind", None)) if part)
    if name not in COMMANDS:
        parser.print_help()
        return EXIT_FAILURE
    try:
        return _run(COMMANDS[name], given, environ, at_end)
    except options.Missing as error:
        parser.error(str(error))


def _run(command: Command, given: Mapping[str, Any], environ: Mapping[str, str], at_end: ExitStack) -> int:
    _set_if_absent(command.variables)
    environ = {**environ, **_scratch(command, environ, at_end)}

    def start(*more: Any) -> int:
        sections = _read(command, given, environ, at_end)
        for section in sections:
            if isinstance(section, settings.LogSettings):
                logs.configure(section.logging_level, section.log_format)
            elif isinstance(section, settings.MonitorSettings):
                os.environ.update(section.client_variables)
            elif isinstance(section, settings.ScoreSettings) and section.workers > 1:
                _set_if_absent(settings.ONE_THREAD)
        return _call(command.run, *more, *sections)

    if command.around is None:
        return start()
    log = options.read(settings.LogSettings, given, environ)
    logs.configure(log.logging_level, log.log_format)
    return _call(command.around.run, start, *(options.read(kind, given, environ) for kind in command.around.sections))


def _set_if_absent(variables: Mapping[str, str]) -> None:
    os.environ.update({name: value for name, value in variables.items() if not os.environ.get(name)})


def _scratch(command: Command, environ: Mapping[str, str], at_end: ExitStack) -> dict[str, str]:
    """Make the folder that a command needs, in the one that its variable names, and set the variable."""
    if command.scratch is None:
        return {}
    folder, remove = plugins.find(plugins.ENTRIES["scratch"]).make(environ.get(command.scratch))
    at_end.callback(remove)
    made = {command.scratch: str(folder)}
    os.environ.update(made)
    return made


def _call(function: str, *arguments: Any) -> int:
    """Import a function and call it."""
    module, _, name = function.partition(":")
    with garbage.kept():
        imported = importlib.import_module(module)
    code: int = getattr(imported, name)(*arguments)
    return code


@contextmanager
def settled(words: Sequence[str], variables: Mapping[str, str]) -> Iterator[list[Any]]:
    """Settle the sections of a command for the program that we are part of, which keeps its own environment.

    Words that make no sense are a usage error.
    """
    with ExitStack() as at_end:
        at_end.callback(_set(variables))
        try:
            given = vars(build_parser().parse_args(words))
        except SystemExit as error:
            raise UsageError(f"these options cannot be used: {' '.join(words)}") from error
        del given["parser"]
        command = COMMANDS[given.pop("subparser_name")]
        sections = _read(command, given, dict(os.environ), at_end)
        for section in sections:
            if isinstance(section, settings.MonitorSettings):
                at_end.callback(_set(section.client_variables))
            elif isinstance(section, settings.LogSettings) and "logging_level" in given:
                logs.configure(section.logging_level, section.log_format)
        yield sections


def _set(variables: Mapping[str, str]) -> Callable[[], None]:
    """Set variables, and return the function that puts back what was there before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)

    def put_back() -> None:
        for name, text in before.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text

    return put_back


def _read(command: Command, given: Mapping[str, Any], environ: Mapping[str, str], at_end: ExitStack) -> list[Any]:
    """Return the sections of a command in order; those after a delivery see the variables that it sets."""
    sections: list[Any] = [options.read(kind, given, environ) for kind in command.sections]
    for place, section in enumerate(sections):
        if isinstance(section, settings.DeliverySettings):
            # Imported by those commands only that open a folder, and when no option is wrong.
            with garbage.kept():
                deliver = plugins.find(plugins.ENTRIES["delivery"]).deliver
            delivered = deliver(*sections[:place], section, environ, secret_options=options.secrets(sections))
            at_end.callback(_set(delivered.variables))
            at_end.callback(delivered.guard_output())
            after = {**environ, **delivered.variables}
            return [*sections[:place], delivered, *(options.renew(one, given, after) for one in sections[place + 1 :])]
    return sections


def _is_on(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").strip().lower() not in parsers.FALSE_WORDS | {""}


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(number)
