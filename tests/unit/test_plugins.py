"""The one place that imports a choice, and says what is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_model_runner import plugins
from custom_model_runner.errors import LoadError
from custom_model_runner.plugins import Plugin

from .folders import plant

TABLE = {"sail": Plugin("rig_sail"), "steam": Plugin("rig_steam"), "kite": Plugin("")}


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules are imported from for the length of one test."""
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        yield tmp_path
        for name in [name for name in sys.modules if name.startswith("rig_")]:
            del sys.modules[name]


def test_a_line_is_chosen_by_its_name() -> None:
    assert plugins.choose(TABLE, "sail", what="rig") is TABLE["sail"]


@pytest.mark.parametrize("name", ["oars", "kite"])
def test_an_unknown_name_and_one_without_a_module_list_what_there_is(name: str) -> None:
    with pytest.raises(LoadError) as caught:
        plugins.choose(TABLE, name, what="rig")
    assert str(caught.value) == f"The rig {name!r} is not available in this version; available: sail, steam"


def test_a_chosen_module_is_imported(importable: Path) -> None:
    plant(importable, {"rig_sail.py": "MASTS = 3\n"})
    assert plugins.find(TABLE["sail"]).MASTS == 3


def test_a_module_is_not_imported_before_it_is_chosen(importable: Path) -> None:
    plant(importable, {"rig_sail.py": "MASTS = 3\n"})
    plugins.choose(TABLE, "sail", what="rig")
    assert "rig_sail" not in sys.modules


def test_a_missing_dependency_names_the_extra_to_install(importable: Path) -> None:
    plant(importable, {"rig_steam.py": "import absent_boiler\n"})
    with pytest.raises(LoadError) as caught:
        plugins.find(Plugin("rig_steam", extra="steam"))
    assert "'absent_boiler' is needed" in str(caught.value)
    assert 'pip install "custom-model-runner[steam]"' in str(caught.value)


def test_a_missing_dependency_without_an_extra_is_to_be_installed_itself(importable: Path) -> None:
    plant(importable, {"rig_steam.py": "import absent_boiler\n"})
    with pytest.raises(LoadError, match=r"pip install absent_boiler$"):
        plugins.find(TABLE["steam"])


@pytest.mark.parametrize("name", ["rig_absent", f"{plugins.PACKAGE}.frameworks.absent"])
def test_a_missing_plug_in_is_a_bug_and_not_something_to_install(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="absent"):
        plugins.find(Plugin(name))


def test_a_plug_in_that_misses_a_module_of_this_package_is_a_bug(importable: Path) -> None:
    plant(importable, {"rig_steam.py": f"import {plugins.PACKAGE}.absent\n"})
    with pytest.raises(ModuleNotFoundError, match="absent"):
        plugins.find(TABLE["steam"])


@pytest.mark.parametrize(
    "table",
    [plugins.LANGUAGES, plugins.INTERFACES, plugins.LOADERS, plugins.FRAMEWORKS, plugins.FORMATS, plugins.TEMPLATES],
)
def test_every_real_line_that_needs_nothing_extra_can_be_imported(table: dict[str, Plugin]) -> None:
    lines = [line for line in table.values() if line.module and not line.extra]
    assert [plugins.find(line).__name__ for line in lines] == [line.module for line in lines]
