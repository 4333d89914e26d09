"""A folder opened inside another program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom_model_runner import drum_inline_predictor
from custom_model_runner.errors import LoadError, UsageError
from custom_model_runner.target_type import TargetType

from .folders import plant

FOLDER = {
    "custom.py": """
        import os
        import pandas as pd
        from datarobot_drum import RuntimeParameters

        def score(data, model):
            return pd.DataFrame({os.environ["TARGET_NAME"]: data["a"] + "!", "more": 1})

        def chat(params, model, headers):
            for text in (os.environ["TARGET_NAME"], headers.get("x-user"), RuntimeParameters.get("TONE")):
                yield {"object": "chat.completion.chunk", "text": text}
    """,
    "model-metadata.yaml": """
        name: m
        type: inference
        targetType: textgeneration
        runtimeParameterDefinitions:
          - {fieldName: TONE, type: string, defaultValue: dry}
    """,
    "values.yaml": "TONE: warm",
}


def test_a_folder_chats_and_predicts_in_process_as_it_would_in_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_NAME", "before")
    folder = plant(tmp_path, FOLDER)
    values = ("--runtime-params-file", str(folder / "values.yaml"))
    with drum_inline_predictor(TargetType.TEXT_GENERATION, folder, "answer", *values) as predictor:
        assert [chunk["text"] for chunk in predictor.chat({}, headers={"x-user": "me"})] == ["answer", "me", "warm"]
        assert predictor.predict(b"a\nx\n").to_dict("list") == {"Predictions": ["x!"], "more": [1]}
        started = predictor.chat({})
        assert len(list(predictor.chat({}))) == len(list(started)) == 3
    assert os.environ["TARGET_NAME"] == "before"
    assert "MLOPS_RUNTIME_PARAM_TONE" not in os.environ


def test_chats_in_process_are_reported_if_that_is_asked_for(tmp_path: Path) -> None:
    folder, spool = plant(tmp_path / "model", FOLDER), tmp_path / "spool"
    to_files = ("--monitor-settings", f"spooler_type=filesystem;directory={spool}")
    options = ("--monitor", "--deployment-id", "d", "--model-id", "m", *to_files)
    with drum_inline_predictor("textgeneration", folder, "answer", *options) as predictor:
        predictor.predict(b"a\nx\n")
    (file,) = spool.iterdir()
    assert '"num_predictions":1' in file.read_text()


def test_options_that_make_no_sense_are_a_usage_error(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="--wind-speed"),
        drum_inline_predictor("regression", tmp_path, "a", "--wind-speed"),
    ):
        pass


def test_variables_are_put_back_when_the_folder_cannot_be_loaded(tmp_path: Path) -> None:
    folder = plant(tmp_path, {"custom.py": "1 / 0"})
    with pytest.raises(LoadError), drum_inline_predictor("textgeneration", folder, "answer"):
        pass
    assert "TARGET_NAME" not in os.environ
