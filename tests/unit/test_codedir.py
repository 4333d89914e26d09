"""A code directory understood without running it: the table of languages, artifacts and user files."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from custom_model_runner import codedir, plugins
from custom_model_runner.errors import LoadError

from .folders import plant

UNDETECTED = r"Can not detect language by artifacts and/or custom\.py/R files"


def folder_of(folder: Path, names: list[str]) -> Path:
    return plant(folder / "code", dict.fromkeys(names, ""))


@pytest.mark.parametrize(
    "names",
    [
        ["custom.py"],
        ["model.pkl"],
        ["model.joblib"],
        ["M.PKL"],
        ["model.pkl", "custom.py"],
        ["model.pkl", "data.zip", "custom.py"],
        ["deep/model.pkl"],
        ["model.pkl", "custom.PY"],
        ["model.pkl", ".hidden/model.zip"],
    ],
)
def test_a_folder_is_python_by_its_artifacts_or_its_user_file(tmp_path: Path, names: list[str]) -> None:
    assert codedir.open_folder(folder_of(tmp_path, names)).language == "python"


@pytest.mark.parametrize(
    ("names", "language"),
    [
        (["model.rds"], "r"),
        (["custom.R"], "r"),
        (["custom.r"], "r"),
        (["custom.R", "custom.r"], "r"),
        (["model.pkl", "model.rds", "custom.R"], "r"),
        (["model.jlso"], "julia"),
        (["custom.jl"], "julia"),
        (["model.jar"], "java"),
        (["model.zip"], "java"),
        (["Model.java"], "java"),
        (["pipeline.mojo"], "java"),
    ],
)
def test_a_folder_in_a_language_of_a_later_version_is_recognised(
    tmp_path: Path, names: list[str], language: str
) -> None:
    with pytest.raises(LoadError, match=f"'{language}' is not available in this version; available: python"):
        codedir.open_folder(folder_of(tmp_path, names))


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["README.md"],
        ["model.pkl", "custom.R"],
        ["data.zip", "custom.py"],
        ["model.pkl", "data.zip"],
        ["custom.py", "custom.R"],
        ["deep/custom.py"],
        ["custom.PY"],
        [".model.pkl"],
        [".hidden/model.pkl"],
    ],
)
def test_a_folder_whose_language_cannot_be_told_is_an_error(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(LoadError, match=UNDETECTED):
        codedir.open_folder(folder_of(tmp_path, names))


def test_a_language_that_is_given_is_not_detected(tmp_path: Path) -> None:
    assert codedir.open_folder(folder_of(tmp_path, ["data.zip", "custom.py"]), "python").language == "python"


def test_the_message_about_an_unknown_language_says_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"by artifacts: python, by custom file: r;.*\.mojo.*: custom\.R, model\.pkl$"):
        codedir.open_folder(folder_of(tmp_path, ["model.pkl", "custom.R"]))


def test_the_message_about_an_unknown_language_shows_the_first_hundred_files(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"file099\.txt$"):
        codedir.open_folder(folder_of(tmp_path, [f"file{number:03}.txt" for number in range(101)]))


def test_a_user_file_in_the_wrong_case_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "drum"):
        codedir.open_folder(folder_of(tmp_path, ["model.pkl", "custom.PY"]))
    assert "custom.PY" in caplog.text


def test_two_user_files_of_r_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "drum"), pytest.raises(LoadError):
        codedir.open_folder(folder_of(tmp_path, ["custom.R", "custom.r"]))
    assert "custom.R is used" in caplog.text


def test_a_correct_name_is_not_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "drum"):
        codedir.open_folder(folder_of(tmp_path, ["model.pkl", "custom.py"]))
    assert caplog.text == ""


def test_a_user_file_is_found_in_a_subfolder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["model.pkl", "deep/custom.py"])
    opened = codedir.open_folder(folder)
    assert (opened.user_file, opened.interface) == (folder / "deep/custom.py", "hooks")


def test_several_user_files_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"too many custom hook files.*: a/custom\.py, custom\.py"):
        codedir.open_folder(folder_of(tmp_path, ["custom.py", "a/custom.py"]))


def test_a_folder_without_a_user_file_is_a_lone_artifact(tmp_path: Path) -> None:
    opened = codedir.open_folder(folder_of(tmp_path, ["model.pkl"]))
    assert (opened.user_file, opened.interface) == (None, "artifact")


def test_only_artifacts_of_the_language_at_the_top_level_are_loadable(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["b.pkl", "A.JOBLIB", "deep/c.pkl", "data.zip", "notes.txt", "custom.py"])
    assert codedir.open_folder(folder).artifacts == (folder / "A.JOBLIB", folder / "b.pkl")


SHARED = {suffix: line.begins for suffix, line in plugins.LOADERS.items() if line.begins}


@pytest.mark.parametrize(("suffix", "begins"), [(suffix, start) for suffix, all_ in SHARED.items() for start in all_])
def test_a_file_of_a_shared_suffix_is_an_artifact_when_it_begins_like_one(
    tmp_path: Path, suffix: str, begins: bytes
) -> None:
    opened = codedir.open_folder(plant(tmp_path, {f"model{suffix}": begins + b" and more"}))
    assert (opened.language, opened.artifacts) == ("python", (tmp_path / f"model{suffix}",))


@pytest.mark.parametrize("suffix", SHARED)
@pytest.mark.parametrize("content", [b"", b"{}", b"a,b\n", b" tree\n", b"tree", b"tree of\n", b'\xff{"learner"'])
def test_a_file_of_a_shared_suffix_that_begins_otherwise_is_no_artifact(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    opened = codedir.open_folder(plant(tmp_path, {f"notes{suffix}": content, "model.pkl": b""}))
    assert opened.artifacts == (tmp_path / "model.pkl",)
    (tmp_path / "model.pkl").unlink()
    with pytest.raises(LoadError, match=UNDETECTED):
        codedir.open_folder(tmp_path)


@pytest.mark.parametrize("suffix", [suffix for suffix, line in plugins.LOADERS.items() if not line.begins])
def test_a_file_of_any_other_suffix_of_the_table_is_an_artifact(tmp_path: Path, suffix: str) -> None:
    opened = codedir.open_folder(plant(tmp_path, {f"model{suffix}": b""}))
    assert (opened.language, opened.artifacts) == ("python", (tmp_path / f"model{suffix}",))


def test_the_metadata_is_part_of_the_folder(tmp_path: Path) -> None:
    folder = plant(tmp_path, {"custom.py": "", "model-metadata.yaml": "name: x\ntype: inference\ntargetType: anomaly"})
    assert codedir.open_folder(folder).metadata.raw["targetType"] == "anomaly"
