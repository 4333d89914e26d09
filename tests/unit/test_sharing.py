"""When a model may be loaded before the fork."""

from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner import load, sharing
from custom_model_runner.model import Model, Traits
from custom_model_runner.settings import ModelSettings

ARTIFACT = pickle.dumps(LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0]))


def folder_with(path: Path, artifact: str = "model.pkl") -> ModelSettings:
    (path / artifact).write_bytes(ARTIFACT)
    return ModelSettings(code_dir=path)


def declared(path: Path, wish: str) -> None:
    (path / "model-metadata.yaml").write_text(
        f"name: a\ntype: inference\ntargetType: regression\nrunner:\n  forkSafe: {wish}\n"
    )


def test_a_lone_artifact_is_worth_a_try(tmp_path: Path) -> None:
    assert sharing.is_worth_a_try(folder_with(tmp_path))


@pytest.mark.parametrize("name", ["custom.py", "custom_flask.py"])
def test_code_of_the_folder_is_not_unless_its_author_says_so(tmp_path: Path, name: str) -> None:
    settings = folder_with(tmp_path)
    (tmp_path / name).write_text("")
    assert not sharing.is_worth_a_try(settings)
    declared(tmp_path, "true")
    assert sharing.is_worth_a_try(settings)


def test_an_author_may_forbid_it(tmp_path: Path) -> None:
    settings = folder_with(tmp_path)
    declared(tmp_path, "false")
    assert not sharing.is_worth_a_try(settings)


def test_an_artifact_of_a_framework_that_may_not_survive_is_not_tried(tmp_path: Path) -> None:
    assert not sharing.is_worth_a_try(folder_with(tmp_path, "model.keras"))


def test_a_folder_that_cannot_be_understood_is_left_to_the_workers(tmp_path: Path) -> None:
    assert not sharing.is_worth_a_try(ModelSettings(code_dir=tmp_path))


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    folder_with(tmp_path)
    with load(tmp_path, target_type="regression") as predictor:
        yield predictor.model


def test_a_model_whose_loading_left_nothing_behind_is_safe(model: Model) -> None:
    assert sharing.is_safe(model, sharing.traces())


def test_a_model_is_not_safe_if_its_loading_left_a_thread(model: Model) -> None:
    before = sharing.traces()
    goes_on = threading.Event()
    thread = threading.Thread(target=goes_on.wait)
    thread.start()
    try:
        assert not sharing.is_safe(model, before)
    finally:
        goes_on.set()
        thread.join()


def test_a_model_is_not_safe_if_its_loading_left_a_socket(model: Model) -> None:
    before = sharing.traces()
    with socket.socket():
        assert not sharing.is_safe(model, before)


def test_a_model_with_hooks_or_of_an_unknown_framework_is_not_safe(model: Model) -> None:
    assert not sharing.is_safe(replace(model, traits=Traits()), sharing.traces())
    assert not sharing.is_safe(replace(model, info=replace(model.info, framework="torch")), sharing.traces())


def test_the_word_of_the_author_counts_more_than_what_is_seen(model: Model) -> None:
    metadata = replace(model.info.codedir.metadata, is_fork_safe=True)
    codedir = replace(model.info.codedir, metadata=metadata)
    before = sharing.traces()
    with socket.socket():
        assert sharing.is_safe(replace(model, info=replace(model.info, codedir=codedir)), before)
