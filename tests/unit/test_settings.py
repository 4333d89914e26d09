"""The real options: which variable sets which, and which one wins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import options
from custom_model_runner.errors import UsageError
from custom_model_runner.settings import (
    LogSettings,
    ModelSettings,
    MonitorSettings,
    NewModelSettings,
    ScoreSettings,
    ServerSettings,
)
from custom_model_runner.target_type import TargetType

from .folders import plant


def model(tmp_path: Path, environ: dict[str, str], **given: Any) -> ModelSettings:
    return options.read(ModelSettings, {"code_dir": str(tmp_path), **given}, environ)


@pytest.mark.parametrize(
    ("variable", "text", "field", "expected"),
    [
        ("TARGET_TYPE", "binary", "target_type", "binary"),
        ("POSITIVE_CLASS_LABEL", "yes", "positive_class_label", "yes"),
        ("NEGATIVE_CLASS_LABEL", "no", "negative_class_label", "no"),
        ("CLASS_LABELS", "a b c", "class_labels", ("a", "b", "c")),
        ("TARGET_NAME", "reply", "target_name", "reply"),
    ],
)
def test_a_variable_says_what_the_model_predicts(
    tmp_path: Path, variable: str, text: str, field: str, expected: object
) -> None:
    assert getattr(model(tmp_path, {variable: text}), field) == expected


def test_the_folder_can_come_from_a_variable(tmp_path: Path) -> None:
    assert options.read(ModelSettings, {}, {"CODE_DIR": str(tmp_path)}).code_dir == tmp_path.resolve()


def test_the_folder_of_a_flag_beats_the_variable(tmp_path: Path) -> None:
    plant(tmp_path / "other", {})
    assert model(tmp_path, {"CODE_DIR": str(tmp_path / "other")}).code_dir == tmp_path.resolve()


def test_labels_can_come_from_a_file_named_in_a_variable(tmp_path: Path) -> None:
    plant(tmp_path, {"labels": "a\nb\n"})
    assert model(tmp_path, {"CLASS_LABELS_FILE": str(tmp_path / "labels")}).class_labels_file == ("a", "b")


def test_the_labels_flag_silences_the_variable_that_names_a_file(tmp_path: Path) -> None:
    found = model(tmp_path, {"CLASS_LABELS_FILE": "/gone"}, class_labels=["a", "b"])
    assert (found.class_labels, found.class_labels_file) == (("a", "b"), None)


def test_the_file_flag_silences_the_variable_that_lists_labels(tmp_path: Path) -> None:
    plant(tmp_path, {"labels": "a\nb\n"})
    found = model(tmp_path, {"CLASS_LABELS": "x y"}, class_labels_file=str(tmp_path / "labels"))
    assert (found.class_labels, found.class_labels_file) == (None, ("a", "b"))


@pytest.mark.parametrize("kind", TargetType)
def test_every_target_type_can_be_given(tmp_path: Path, kind: TargetType) -> None:
    assert model(tmp_path, {"TARGET_TYPE": kind.value}).target_type == kind


def test_an_unknown_target_type_in_a_variable_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"variable TARGET_TYPE: invalid value 'ordinal'.*regression"):
        model(tmp_path, {"TARGET_TYPE": "ordinal"})


@pytest.mark.parametrize(
    ("variable", "text", "field", "expected"),
    [
        ("ADDRESS", "0.0.0.0:80", "address", ("0.0.0.0", 80)),
        ("MAX_WORKERS", "3", "max_workers", 3),
        ("WITH_ERROR_SERVER", "1", "with_error_server", True),
        ("WITH_ERROR_SERVER", "0", "with_error_server", False),
        ("PRODUCTION", "yes", "production", True),
        ("URL_PREFIX", "my/pre/", "url_prefix", "/my/pre"),
        (
            "MLOPS_RUNTIME_PARAM_CUSTOM_MODEL_WORKERS",
            '{"type": "numeric", "payload": 4}',
            "max_workers",
            4,
        ),
    ],
)
def test_a_variable_says_how_to_serve(variable: str, text: str, field: str, expected: object) -> None:
    assert getattr(options.read(ServerSettings, {}, {variable: text}), field) == expected


def test_a_server_listens_on_port_8080_of_this_machine_unless_told_otherwise() -> None:
    assert options.read(ServerSettings, {}, {}).address == ("127.0.0.1", 8080)


def test_the_workers_of_the_runtime_parameter_beat_the_flag() -> None:
    environ = {"MLOPS_RUNTIME_PARAM_CUSTOM_MODEL_WORKERS": '{"type": "numeric", "payload": 4}'}
    assert options.read(ServerSettings, {"max_workers": "2"}, environ).max_workers == 4


# What the original reads; the first and the last value that it may have.
KNOBS = [
    ("CUSTOM_MODEL_WORKERS", "max_workers", 1, 1, 199),
    ("DRUM_CLIENT_REQUEST_TIMEOUT", "request_timeout", 0, 0, 3600),
    ("DRUM_WEBSERVER_BACKLOG", "backlog", 2048, 1, 10000),
    ("DRUM_GUNICORN_MAX_REQUESTS", "max_requests", 0, 0, 10000),
    ("DRUM_GUNICORN_MAX_REQUESTS_JITTER", "max_requests_jitter", 0, 0, 10000),
    ("DRUM_WORKER_CONNECTIONS", "worker_connections", 1000, 1, 10000),
    ("DRUM_GUNICORN_GRACEFUL_TIMEOUT", "graceful_timeout", 25, 1, 3600),
    ("DRUM_GUNICORN_KEEP_ALIVE", "keep_alive", 65, 0, 3600),
]


@pytest.mark.parametrize(("name", "field", "default", "least", "most"), KNOBS)
def test_a_knob_of_the_original_is_a_runtime_parameter_with_a_default_and_bounds(
    name: str, field: str, default: int, least: int, most: int
) -> None:
    def read(payload: int) -> Any:
        environ = {f"MLOPS_RUNTIME_PARAM_{name}": json.dumps({"type": "numeric", "payload": payload})}
        return getattr(options.read(ServerSettings, {}, environ), field)

    assert getattr(options.read(ServerSettings, {}, {}), field) == default
    assert (read(least), read(most)) == (least, most)
    for beyond in (least - 1, most + 1):
        with pytest.raises(UsageError, match=f"runtime parameter {name}: '{beyond}'"):
            read(beyond)


def test_the_level_of_gunicorn_is_one_that_it_knows() -> None:
    def read(level: str) -> str | None:
        environ = {"MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_LOG_LEVEL": json.dumps({"type": "string", "payload": level})}
        return options.read(ServerSettings, {}, environ).gunicorn_log_level

    assert [read(level) for level in ("debug", "critical")] == ["debug", "critical"]
    with pytest.raises(UsageError, match=r"DRUM_GUNICORN_LOG_LEVEL: invalid value 'loud', expected one of: debug, "):
        read("loud")


@pytest.mark.parametrize("field", ["max_workers", "threads", "max_body_bytes", "max_decoded_bytes"])
def test_zero_is_no_number_of_anything(field: str) -> None:
    with pytest.raises(UsageError, match=r"a whole number (above 0|from 1 to 1000)"):
        options.read(ServerSettings, {field: "0"}, {})


def test_stack_traces_can_be_asked_for_by_a_variable() -> None:
    assert options.read(LogSettings, {}, {"SHOW_STACKTRACE": "yes"}).show_stacktrace is True


def test_a_batch_needs_an_input() -> None:
    with pytest.raises(UsageError, match="required: --input"):
        options.read(ScoreSettings, {}, {})


def test_a_new_folder_can_be_named_by_a_variable(tmp_path: Path) -> None:
    found = options.read(NewModelSettings, {"language": "python"}, {"CODE_DIR": str(tmp_path / "new")})
    assert found.code_dir == tmp_path / "new"


@pytest.mark.parametrize(
    ("variable", "text", "field", "expected"),
    [
        ("MONITOR", "1", "monitor", True),
        ("MLOPS_REPORTING_FROM_UNSTRUCTURED_MODELS", "yes", "monitor_embedded", True),
        ("DEPLOYMENT_ID", "d", "deployment_id", "d"),
        ("MLOPS_DEPLOYMENT_ID", "d", "deployment_id", "d"),
        ("MODEL_ID", "m", "model_id", "m"),
        ("MLOPS_MODEL_ID", "m", "model_id", "m"),
        ("MONITOR_SETTINGS", "spooler_type=stdout", "monitor_settings", {"spooler_type": "stdout"}),
        ("EXTERNAL_WEB_SERVER_URL", "https://x.org/", "webserver", "https://x.org"),
        ("API_TOKEN", "t", "api_token", "t"),
        ("ALLOW_DR_API_ACCESS_FOR_ALL_CUSTOM_MODELS", "true", "allow_dr_api_access", True),
    ],
)
def test_a_variable_says_what_is_monitored(variable: str, text: str, field: str, expected: object) -> None:
    assert getattr(options.read(MonitorSettings, {}, {variable: text}), field) == expected


@pytest.mark.parametrize(
    ("flag", "variable"), [("monitor", "MLOPS_REPORTING_FROM_UNSTRUCTURED_MODELS"), ("monitor_embedded", "MONITOR")]
)
def test_one_kind_of_monitoring_silences_the_variable_of_the_other(flag: str, variable: str) -> None:
    found = options.read(MonitorSettings, {flag: True}, {variable: "1"})
    assert (found.monitor, found.monitor_embedded) == (flag == "monitor", flag == "monitor_embedded")


def test_user_code_is_told_server_and_token_only_if_it_is_allowed() -> None:
    told = {"DATAROBOT_ENDPOINT": "https://x.org/api/v2", "DATAROBOT_API_TOKEN": "t"}
    settings = MonitorSettings(webserver="https://x.org", api_token="t")
    assert (settings.client_variables, replace(settings, allow_dr_api_access=True).client_variables) == ({}, told)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "--webserver and --api-token"),
        ({"webserver": "https://x.org"}, "--api-token"),
        ({"api_token": "t"}, "--webserver"),
    ],
)
def test_user_code_cannot_be_told_what_is_missing(given: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError, match=f"^--allow-dr-api-access needs {missing}$"):
        _ = MonitorSettings(allow_dr_api_access=True, **given).client_variables  # type: ignore[arg-type]
