"""What a framework needs beside its line: an extra of its own, and a part in the run of all."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from custom_model_runner import plugins

from .tree import REPOSITORY, expect_none

PROJECT = REPOSITORY / "pyproject.toml"
# What the core's environment cannot run, and what takes minutes.
APART = frozenset({"tests/cloud", "tests/frameworks", "tests/reliability", "tests/scale"})


def extra_complaints(extras: Iterable[str], project: str) -> list[str]:
    """Name every extra of the tables that the project does not offer, or does not try with all others.

    A small build of its package, called `-cpu`, will do.
    """
    tried = re.search(r"^frameworks-test = \[\n\s+\"custom-model-runner\[(.*)\]\"([^\]]*)", project, re.MULTILINE)
    listed = [*tried[1].split(","), *re.findall(r'"([\w-]+)-cpu\b', tried[2])] if tried else []
    return [
        f"{extra}: {words}"
        for extra in dict.fromkeys(extras)
        for words, is_there in (
            ("is no extra of the project", re.search(rf"^{extra} = \[", project, re.MULTILINE)),
            ("is not part of frameworks-test", extra in listed),
        )
        if not is_there
    ]


def test_every_extra_of_the_real_tables_is_offered_and_tried() -> None:
    lines = [*plugins.LOADERS.values(), *plugins.FRAMEWORKS.values()]
    expect_none(extra_complaints([line.extra for line in lines if line.extra], PROJECT.read_text(encoding="utf-8")))


def test_an_extra_that_is_not_offered_or_not_tried_is_a_complaint() -> None:
    tried = '"custom-model-runner[sail,kite]",\n    "kelp-cpu>=3",'
    project = f'sail = ["x"]\nfrog = ["x"]\nkelp = ["x"]\nframeworks-test = [\n    {tried}\n]\n'
    expected = ["frog: is not part of frameworks-test", "kite: is no extra of the project"]
    assert extra_complaints(["sail", "frog", "kelp", "kite"], project) == expected


def test_make_test_runs_every_folder_of_tests_but_those_that_stand_apart(pytestconfig: pytest.Config) -> None:
    folders = {"/".join(path.relative_to(REPOSITORY).parts[:2]) for path in (REPOSITORY / "tests").rglob("test_*.py")}
    assert {*pytestconfig.getini("testpaths"), *APART} == folders
