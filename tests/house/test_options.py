"""Options: each one of a command stands in docs/cli.md, and what stands there exists."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from custom_model_runner import cli
from custom_model_runner.options import options

from .tree import REPOSITORY, expect_none

DOCUMENT = "docs/cli.md"
VARIABLE = re.compile(r"\[variable: (\w+)\]")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Declared:
    """What the command line takes: words that must be documented, and words that may be."""

    documented: frozenset[str]
    known: frozenset[str]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Walk a parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


def declared_by(parser: argparse.ArgumentParser) -> Declared:
    """Return the flags and variables of every command; a hidden option is known without being documented."""
    documented: set[str] = set()
    hidden: set[str] = set()
    for command in parsers(parser):
        for action in command._actions:
            shown = action.help != argparse.SUPPRESS
            (documented if shown else hidden).update(action.option_strings)
            documented |= set(VARIABLE.findall(action.help or ""))
    return Declared(frozenset(documented), frozenset(documented | hidden))


def variables() -> frozenset[str]:
    """Return every variable and runtime parameter of the real settings, also of those without a flag."""
    every = [
        option
        for command in cli.COMMANDS.values()
        for section in command.sections
        for option in options(section).values()
    ]
    return frozenset(word for option in every for word in (option.variable, option.parameter) if word)


def is_in(word: str, text: str) -> bool:
    """Say whether a text holds a word as a whole: `--thread` is not in `--threads`."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def option_complaints(declared: Declared, text: str | None) -> list[str]:
    """Name what is declared and not documented, and what the tables document and nobody declares."""
    if text is None:
        return [f"{DOCUMENT} is missing"]
    tables = "\n".join(line for line in text.splitlines() if line.lstrip().startswith("|"))
    return [
        *(f"{word} is not in {DOCUMENT}" for word in sorted(declared.documented) if not is_in(word, text)),
        *(
            f"{word} is in {DOCUMENT} and no command takes it"
            for word in sorted(set(FLAG.findall(tables)) - declared.known)
        ),
    ]


def text_of(path: Path) -> str | None:
    """Return what a document says, or None where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def test_every_real_option_and_variable_is_documented_and_the_reverse() -> None:
    declared = declared_by(cli.build_parser())
    whole = Declared(declared.documented | variables(), declared.known)
    expect_none(option_complaints(whole, text_of(REPOSITORY / DOCUMENT)))


def test_the_walk_reaches_the_options_of_every_real_command() -> None:
    programs = {parser.prog for parser in parsers(cli.build_parser())}
    assert {f"drum {name}" for name in cli.COMMANDS} <= programs
    assert {"--code-dir", "--version", "CODE_DIR"} <= declared_by(cli.build_parser()).documented


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("run", add_help=False)
    kinds = parser.add_subparsers().add_parser("new", add_help=False).add_subparsers()
    model = kinds.add_parser("model", add_help=False)
    model.add_argument("-t", "--threads", help="how many [variable: THREADS]")
    model.add_argument("--old", help=argparse.SUPPRESS)
    return parser


DOCUMENTED = "| option | variable |\n|---|---|\n| `-t`, `--threads N` | `THREADS` |\n"


def test_a_document_that_says_everything_is_fine(parser: argparse.ArgumentParser) -> None:
    assert option_complaints(declared_by(parser), DOCUMENTED) == []


@pytest.mark.parametrize("word", ["-t", "--threads", "THREADS"])
def test_a_word_that_is_not_documented_is_a_complaint(parser: argparse.ArgumentParser, word: str) -> None:
    text = DOCUMENTED.replace(f"`{word}", "`")
    assert f"{word} is not in docs/cli.md" in option_complaints(declared_by(parser), text)


def test_a_longer_word_does_not_stand_in_for_a_shorter_one(parser: argparse.ArgumentParser) -> None:
    text = DOCUMENTED.replace("THREADS", "MAX_THREADS")
    assert option_complaints(declared_by(parser), text) == ["THREADS is not in docs/cli.md"]


def test_an_option_that_no_command_takes_is_a_complaint(parser: argparse.ArgumentParser) -> None:
    text = DOCUMENTED + "| `--thread N` | | \n\nElsewhere `--other-tool` is fine.\n"
    assert option_complaints(declared_by(parser), text) == ["--thread is in docs/cli.md and no command takes it"]


def test_a_hidden_option_may_be_documented(parser: argparse.ArgumentParser) -> None:
    assert option_complaints(declared_by(parser), DOCUMENTED + "| `--old` | |") == []


def test_a_missing_document_is_one_complaint(parser: argparse.ArgumentParser, tmp_path: Path) -> None:
    assert option_complaints(declared_by(parser), text_of(tmp_path / "cli.md")) == ["docs/cli.md is missing"]
