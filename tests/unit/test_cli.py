"""From a command line to an exit code, in this process."""

from __future__ import annotations

import re
import runpy
import signal
from pathlib import Path

import joblib
import pytest

import custom_model_runner
from custom_model_runner import cli, settings
from custom_model_runner.errors import Terminated


def test_drum_alone_shows_its_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([], {}) == 1
    assert capsys.readouterr().out.startswith("usage: drum [-h]")


def test_a_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"], {})
    assert (caught.value.code, capsys.readouterr().out) == (0, f"drum {custom_model_runner.__version__}\n")


@pytest.mark.parametrize("words", [["--help"], *([*name.split(), "--help"] for name in cli.COMMANDS)])
def test_help_starts_with_the_usage_of_drum(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words, {})
    assert (caught.value.code, capsys.readouterr().out.startswith("usage: drum")) == (0, True)


def test_a_command_of_a_later_version_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "COMMANDS_NOT_AVAILABLE", ("dance",))
    assert cli.main(["dance", "--code-dir", "x"], {}) == 2
    assert capsys.readouterr() == ("", "drum: error: the command 'dance' is not available in this version\n")


@pytest.mark.parametrize("words", [["--tango", "x"], ["--tango=x"], ["--tango"]])
@pytest.mark.parametrize("command", ["score", "server"])
def test_an_option_of_a_later_version_is_refused_in_one_line(
    command: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "NOT_AVAILABLE", ("--tango",))
    code = cli.main([command, *words], {})
    assert (code, capsys.readouterr().err) == (2, "drum: error: --tango is not available in this version\n")


def new_model(folder: Path, environ: dict[str, str]) -> int:
    return cli.main(["new", "model", "--language", "python", "--code-dir", str(folder)], environ)


def test_a_failure_is_one_line_and_its_own_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_model(tmp_path, {}) == 2
    assert re.fullmatch(r"drum: error: --code-dir: .* exists already.*\n", capsys.readouterr().err)


@pytest.mark.parametrize("text", ["1", "yes", "TRUE"])
def test_a_variable_asks_for_the_traceback(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_model(tmp_path, {"SHOW_STACKTRACE": text}) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "false", "no", "off", ""])
def test_a_variable_that_is_off_asks_for_no_traceback(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new_model(tmp_path, {"SHOW_STACKTRACE": text}) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_flag_asks_for_the_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["new", "model", "--language", "python", "--code-dir", str(tmp_path), "--show-stacktrace"]
    assert cli.main(words, {}) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    assert new_model(tmp_path / "m", {}) == 130


def test_a_termination_is_143(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    assert new_model(tmp_path / "m", {}) == Terminated.exit_code == 143


def test_a_failure_nobody_foresaw_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: vars(Path)["absent"])
    assert new_model(tmp_path / "m", {}) == 1
    assert capsys.readouterr().err == "drum: error: KeyError: 'absent'\n"


def test_the_package_run_as_a_program_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["drum"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("custom_model_runner", run_name="__main__")
    assert (caught.value.code, capsys.readouterr().out.startswith("usage: drum")) == (1, True)


def test_a_model_that_asks_for_all_cores_gets_one_in_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cli.COMMANDS["server"].variables.items():
        monkeypatch.setenv(name, value)
    assert joblib.effective_n_jobs(-1) == 1
