"""The table of artifacts has no holes, and one that had would be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_model_runner import plugins

from .table import Case, cases_of, complaints, file_of

OWN = {
    framework: [suffix for suffix, loader in plugins.LOADERS.items() if loader.module == line.module]
    for framework, line in plugins.FRAMEWORKS.items()
}
# Suffixes of any framework.
SHARED = [suffix for suffix in plugins.LOADERS if not any(suffix in own for own in OWN.values())]


def plant(folder: Path, *, but: str = "") -> Path:
    """Write a maker with a case for each line of the tables, but for one framework, suffix or target."""
    for framework, line in plugins.FRAMEWORKS.items():
        targets = tuple(target for target in ("regression", "binary") if target != but)
        cases = {suffix: targets for suffix in (*SHARED, *OWN[framework]) if suffix != but}
        if framework != but:
            (folder / f"{file_of(line)}.py").write_text(f"CASES: dict[str, tuple[str, ...]] = {cases}\n")
    return folder


def test_every_framework_and_suffix_of_the_tables_has_a_case() -> None:
    assert complaints() == []


def test_a_full_table_is_fine(tmp_path: Path) -> None:
    assert complaints(plant(tmp_path)) == []


@pytest.mark.parametrize("framework", plugins.FRAMEWORKS)
def test_a_framework_without_a_maker_is_a_complaint(tmp_path: Path, framework: str) -> None:
    nobody = [f"{suffix}: no case of {framework}" for suffix in OWN[framework]]
    found = complaints(plant(tmp_path, but=framework))
    assert found == [f"{framework}: has no maker, or one without cases", *nobody]


@pytest.mark.parametrize(("framework", "suffix"), [(name, suffix) for name, own in OWN.items() for suffix in own])
def test_a_suffix_without_a_case_of_its_framework_is_a_complaint(tmp_path: Path, framework: str, suffix: str) -> None:
    assert complaints(plant(tmp_path, but=suffix)) == [f"{suffix}: no case of {framework}"]


def test_a_suffix_of_any_framework_needs_one_case(tmp_path: Path) -> None:
    every = " or ".join(plugins.FRAMEWORKS)
    assert complaints(plant(tmp_path, but=".joblib")) == [f".joblib: no case of {every}"]


def test_a_framework_without_a_binary_case_is_a_complaint(tmp_path: Path) -> None:
    found = complaints(plant(tmp_path, but="binary"))
    assert found == [f"{framework}: no case has the target binary" for framework in plugins.FRAMEWORKS]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("sklearn", "CASES = {'.pkl': ('binary',), '.zip': ('binary',)}", "scikit-learn.zip-binary: is a case of no"),
        ("sklearn", "CASES = {'.pkl': ('binary', 'ternary')}", "scikit-learn.pkl-ternary: its target is none of"),
        ("abacus", "", "abacus.py: makes for no framework"),
    ],
)
def test_a_case_or_a_maker_of_no_line_is_a_complaint(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    plant(tmp_path)
    (tmp_path / f"{name}.py").write_text(text)
    [found] = complaints(tmp_path)
    assert found.startswith(complaint)


def test_the_cases_of_a_maker_are_read_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("import absent\nCASES = {'.pth': ('binary', 'anomaly')}\n")
    assert cases_of("torch", tmp_path) == [Case("torch", ".pth", "binary"), Case("torch", ".pth", "anomaly")]
