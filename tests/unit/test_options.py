"""One declaration of an option, and every way to give it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from custom_model_runner import options
from custom_model_runner.errors import UsageError
from custom_model_runner.options import option
from custom_model_runner.settings import ServerSettings

TRUE = ["t", "true", "y", "yes", "on", "1", "1.0"]
FALSE = ["false", "n", "no", "off", "0", "none", "0.0"]


@dataclass(frozen=True)
class Voyage:
    """A section with one option of each kind."""

    port: str = option("-p", "--port", variable="PORT", default="Hull", help="where to")
    crew: int = option("--crew", parse=int, variable="CREW", parameter="CREW_SIZE", default=1, help="how many")
    fast: bool = option("--fast", is_switch=True, variable="FAST", default=False, help="hurry")
    cargo: tuple[str, ...] | None = option(
        "--cargo", takes_many=True, parse=tuple, variable="CARGO", yields_to="list", help="what"
    )
    list: str | None = option("--list", variable="LIST", yields_to="cargo", help="file with the cargo")
    wind: str | None = option("--wind", choices=("north", "south"), variable="WIND", help="from where")
    name: str | None = option(variable="NAME", help="of the ship")
    flag: str | None = option("--flag", variable="FLAG", fallback="ENSIGN", help="under which flag")
    password: str | None = option("--password", variable="PASSWORD", is_secret=True, help="for the gate")
    log: str | None = option("--log", bare="here", help="where to write it")
    log_form: str | None = option("--log-form", help="how to write it")
    log_ink: str | None = option("--log-ink", help="with what")


@dataclass(frozen=True)
class Strict:
    """A section with an option that must be given."""

    port: str = option("-p", "--port", required=True, help="where to")


def read(words: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Voyage:
    parser = options.Parser()
    options.add_to(parser, Voyage)
    return options.read(Voyage, vars(parser.parse_args(words)), environ or {})


def test_an_option_that_is_not_given_has_its_default() -> None:
    assert read() == Voyage("Hull", 1, False, None, None, None, None, None)


@pytest.mark.parametrize("words", [["-p", "Cork"], ["--port", "Cork"], ["--port=Cork"], ["--po", "Cork"]])
def test_a_flag_can_be_written_in_several_ways(words: list[str]) -> None:
    assert read(words).port == "Cork"


@pytest.mark.parametrize(("words", "value"), [(["--log"], "here"), (["--log", "book"], "book"), ([], None)])
def test_a_flag_may_mean_something_without_a_value(words: list[str], value: str | None) -> None:
    assert read(words).log == value


def test_what_is_short_for_an_option_is_not_short_for_those_whose_names_begin_with_its_name() -> None:
    assert read(["--lo", "there"]).log == "there"


def test_what_is_short_for_several_options_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="ambiguous option: --log- could match --log-form, --log-ink"):
        read(["--log-", "x"])


def test_a_variable_gives_an_option() -> None:
    assert read(environ={"PORT": "Cork"}).port == "Cork"


@pytest.mark.parametrize("flag", ["-p", "--port"])
def test_a_flag_beats_its_variable(flag: str) -> None:
    assert read([flag, "Cork"], {"PORT": "Oslo"}).port == "Cork"


def test_an_empty_variable_is_none() -> None:
    assert read(environ={"PORT": "", "CREW": "", "FAST": ""}) == read()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ENSIGN": "red"}, "red"),
        ({"FLAG": "", "ENSIGN": "red"}, "red"),
        ({"FLAG": "blue", "ENSIGN": "red"}, "blue"),
        ({}, None),
    ],
)
def test_a_second_variable_counts_where_the_first_is_empty(environ: dict[str, str], expected: str | None) -> None:
    assert read(environ=environ).flag == expected


def test_a_flag_beats_both_variables() -> None:
    assert read(["--flag", "white"], {"FLAG": "blue", "ENSIGN": "red"}).flag == "white"


def test_an_option_without_flags_comes_from_its_variable() -> None:
    assert read(environ={"NAME": "Albatross"}).name == "Albatross"


def test_a_value_is_parsed_wherever_it_comes_from() -> None:
    assert (read(["--crew", "7"]).crew, read(environ={"CREW": "7"}).crew) == (7, 7)


@pytest.mark.parametrize(
    ("words", "environ", "source"),
    [(["--crew", "x"], {}, "--crew: "), ([], {"CREW": "x"}, "variable CREW: ")],
)
def test_a_value_that_cannot_be_parsed_names_its_source(words: list[str], environ: dict[str, str], source: str) -> None:
    with pytest.raises(UsageError, match=f"^{source}"):
        read(words, environ)


@pytest.mark.parametrize("payload", ["5", "5.0", '"5"'])
def test_a_runtime_parameter_beats_flag_and_variable(payload: str) -> None:
    environ = {"MLOPS_RUNTIME_PARAM_CREW_SIZE": f'{{"type": "numeric", "payload": {payload}}}', "CREW": "3"}
    assert read(["--crew", "2"], environ).crew == 5


def test_a_runtime_parameter_without_a_value_beats_nothing() -> None:
    assert read(["--crew", "2"], {"MLOPS_RUNTIME_PARAM_CREW_SIZE": '{"type": "numeric", "payload": null}'}).crew == 2


@pytest.mark.parametrize("text", ["{", "5", '{"type": "numeric", "payload": "x"}'])
def test_a_broken_runtime_parameter_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="Invalid runtime parameter"):
        read(environ={"MLOPS_RUNTIME_PARAM_CREW_SIZE": text})


def test_a_switch_is_on_when_its_flag_is_there() -> None:
    assert read(["--fast"]).fast is True


@pytest.mark.parametrize("word", [*TRUE, "TRUE", " Yes ", "On"])
def test_a_truth_word_switches_on(word: str) -> None:
    assert read(environ={"FAST": word}).fast is True


@pytest.mark.parametrize("word", [*FALSE, "FALSE", " No ", "None"])
def test_a_falsehood_leaves_off(word: str) -> None:
    assert read(environ={"FAST": word}).fast is False


@pytest.mark.parametrize("word", ["f", "maybe", "2", "tr ue", " "])
def test_other_words_are_no_truth_values(word: str) -> None:
    with pytest.raises(UsageError, match=r"variable FAST: .* is not a truth value"):
        read(environ={"FAST": word})


def test_a_flag_takes_many_values() -> None:
    assert read(["--cargo", "tea", "dried fish"]).cargo == ("tea", "dried fish")


def test_many_values_in_a_variable_are_split_at_blanks() -> None:
    assert read(environ={"CARGO": " tea  dried fish "}).cargo == ("tea", "dried", "fish")


def test_a_rival_flag_silences_a_variable() -> None:
    voyage = read(["--list", "cargo.txt"], {"CARGO": "tea fish"})
    assert (voyage.cargo, voyage.list) == (None, "cargo.txt")


def test_a_variable_speaks_when_its_rival_flag_is_not_there() -> None:
    assert read(environ={"CARGO": "tea fish"}).cargo == ("tea", "fish")


def test_a_variable_must_hold_one_of_the_choices() -> None:
    with pytest.raises(UsageError, match="variable WIND: invalid value 'west', expected one of: north, south"):
        read(environ={"WIND": "west"})


def test_a_flag_must_hold_one_of_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="argument --wind: invalid choice: 'west'"):
        read(["--wind", "west"])
    assert capsys.readouterr().err.startswith("usage: ")


def test_a_missing_required_option_is_named() -> None:
    with pytest.raises(UsageError, match="required: -p/--port"):
        options.read(Strict, {}, {})


def test_a_switch_is_given_as_a_truth_value_in_a_program() -> None:
    assert [options.read(Voyage, {"fast": fast}, {}).fast for fast in (True, False)] == [True, False]


def test_a_section_is_renewed_by_runtime_parameters_alone() -> None:
    read_once = options.read(Voyage, {"crew": "2"}, {"PORT": "Cork"})
    parameter = {"MLOPS_RUNTIME_PARAM_CREW_SIZE": '{"type": "numeric", "payload": 7}', "PORT": "Dover"}
    renewed = options.renew(read_once, {"crew": "2"}, parameter)
    assert (renewed.port, renewed.crew) == ("Cork", 7)


def test_a_parameter_that_became_null_leaves_the_default() -> None:
    environ = {"MLOPS_RUNTIME_PARAM_CREW_SIZE": '{"type": "numeric", "payload": null}'}
    assert options.renew(read(["--crew", "7"]), {}, environ).crew == 1


@pytest.mark.parametrize("given", [{"words": ["--password", "herring"]}, {"environ": {"PASSWORD": "herring"}}])
def test_the_values_of_secret_options_are_known(given: dict[str, Any]) -> None:
    assert options.secrets([Strict("Cork"), read(**given)]) == ("herring",)


def test_each_value_of_a_secret_option_that_takes_many_is_known() -> None:
    section = options.read(ServerSettings, {}, {"API_KEYS": "one two"})
    assert options.secrets([section]) == ("one", "two")


def test_a_secret_option_that_is_not_given_hides_nothing() -> None:
    assert options.secrets([read(["--flag", "red"])]) == ()


def test_the_help_of_an_option_names_its_variable() -> None:
    parser = argparse.ArgumentParser()
    options.add_to(parser, Voyage)
    assert "where to [variable: PORT]" in parser.format_help()
