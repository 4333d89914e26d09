"""What `drum new model --language python` writes."""

from __future__ import annotations

import re

import pytest

from custom_model_runner.interfaces import calls
from custom_model_runner.templates import python_model


def uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text, flags=re.MULTILINE)


def test_no_line_of_the_user_file_does_anything() -> None:
    names: dict[str, object] = {"__builtins__": {}}
    exec(python_model.CUSTOM, names)
    assert set(names) == {"__builtins__", "__doc__"}


@pytest.mark.parametrize("name", calls.HOOKS)
def test_every_hook_is_there_commented_out(name: str) -> None:
    assert re.search(rf"^# def {name}\(", python_model.CUSTOM, flags=re.MULTILINE)


def test_every_hook_can_be_called_once_it_is_uncommented() -> None:
    names: dict[str, object] = {}
    exec(uncommented(python_model.CUSTOM), names)
    for name in calls.HOOKS:
        hook = names[name]
        assert callable(hook)
        calls.guard(name, hook)


def test_the_readme_names_the_folder_and_the_day() -> None:
    text = python_model.README.format(name="ships", date="2024-01-02")
    assert "ships" in text
    assert "2024-01-02" in text
    assert "{" not in text
