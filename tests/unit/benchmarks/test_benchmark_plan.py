"""The arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import plan
from benchmarks.contestants import lineup
from benchmarks.models import BenchModel


def test_without_arguments_all_but_the_other_drum_take_part() -> None:
    todo = plan.read([])
    assert todo.contestants == ("floor", "reference", "drum")
    assert todo.models == ("reg", "bin", "hook")


def test_another_drum_joins_when_its_path_is_given() -> None:
    todo = plan.read(["--other", "/opt/elsewhere/bin/drum"])
    assert todo.contestants[-1] == "other"
    assert todo.drums["other"] == Path("/opt/elsewhere/bin/drum")


def test_a_relative_path_is_taken_from_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plan.read(["--drum", "bin/drum"]).drums["drum"] == tmp_path / "bin/drum"


def test_quick_is_one_round_of_one_model() -> None:
    todo = plan.read(["--quick"])
    assert (todo.rounds, todo.models) == (1, ("reg",))


@pytest.mark.parametrize(
    "arguments", [["--contestants", "other"], ["--contestants", "nobody"], ["--rounds", "0"], ["--rows", "x"]]
)
def test_a_wrong_argument_ends_with_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        plan.read(arguments)
    assert stop.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_every_name_of_the_plan_is_in_the_lineup() -> None:
    todo = plan.read(["--other", "/opt/drum"])
    assert tuple(lineup(todo.drums)) == plan.NAMES


def test_all_servers_have_as_many_workers_as_they_are_told(tmp_path: Path) -> None:
    todo = plan.read(["--other", "/opt/drum"])
    model = BenchModel("reg", tmp_path, ())
    for contestant in lineup(todo.drums).values():
        command = contestant.serve(model, 8080, 3)
        flag = "--max-workers" if "server" in command else "--workers"
        assert command[command.index(flag) + 1] == "3"
