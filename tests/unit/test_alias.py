"""The module name of the original, lent to user code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import custom_model_runner
from custom_model_runner import alias
from custom_model_runner.target_type import TargetType

from .folders import plant

NAME = "datarobot_drum"


@pytest.fixture(autouse=True)
def _no_such_module() -> Iterator[None]:
    assert NAME not in sys.modules
    yield
    sys.modules.pop(NAME, None)


def imported() -> Any:
    return importlib.import_module(NAME)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RuntimeParameters", custom_model_runner.RuntimeParameters),
        ("CustomHTTPError", custom_model_runner.CustomHTTPError),
        ("TargetType", TargetType),
    ],
)
def test_the_alias_gives_our_own_names(name: str, expected: object) -> None:
    remove = alias.install()
    module = imported()
    remove()
    assert getattr(module, name) is expected


def test_the_alias_can_be_imported_from_with_a_star() -> None:
    remove = alias.install()
    names: dict[str, Any] = {}
    exec(f"from {NAME} import *", names)
    remove()
    assert names["RuntimeParameters"] is custom_model_runner.RuntimeParameters


def test_without_the_alias_the_name_cannot_be_imported() -> None:
    with pytest.raises(ModuleNotFoundError):
        imported()


def test_a_removed_alias_can_no_longer_be_imported() -> None:
    remove = alias.install()
    imported()
    remove()
    with pytest.raises(ModuleNotFoundError):
        imported()


def test_an_alias_lives_until_the_last_of_its_users_is_done() -> None:
    remove_first, remove_second = alias.install(), alias.install()
    module = imported()
    remove_first()
    assert imported() is module
    remove_second()
    with pytest.raises(ModuleNotFoundError):
        imported()


def test_removing_twice_does_no_harm() -> None:
    remove = alias.install()
    remove()
    remove()
    with pytest.raises(ModuleNotFoundError):
        imported()


def test_no_other_name_is_lent() -> None:
    remove = alias.install()
    with pytest.raises(ModuleNotFoundError, match="datarobot_other"):
        importlib.import_module("datarobot_other")
    remove()


def test_the_alias_steps_back_where_the_real_package_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {f"{NAME}/__init__.py": "RuntimeParameters = 'the real one'\n"})
    monkeypatch.syspath_prepend(tmp_path)
    remove = alias.install()
    assert imported().RuntimeParameters == "the real one"
    remove()
    assert imported().RuntimeParameters == "the real one"
    monkeypatch.undo()
