"""What settings ask to be reported, and where to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import options, plugins
from custom_model_runner.errors import LoadError, UsageError
from custom_model_runner.monitoring import reporting
from custom_model_runner.settings import MonitorSettings
from custom_model_runner.target_type import TargetType

from .reports import counted

IDS = {"DEPLOYMENT_ID": "d", "MODEL_ID": "m"}
SERVER = {"EXTERNAL_WEB_SERVER_URL": "https://app.example.com/", "API_TOKEN": "t"}


def planned(environ: dict[str, str], **given: Any) -> reporting.Plan | None:
    return reporting.plan(options.read(MonitorSettings, given, environ), stdout=None)


def refusal(environ: dict[str, str], **given: Any) -> str:
    with pytest.raises(UsageError) as caught:
        planned(environ, **given)
    return str(caught.value)


def test_nothing_is_reported_unless_asked_for() -> None:
    assert planned({**IDS, **SERVER, "MONITOR_SETTINGS": "spooler_type=stdout"}) is None


def test_without_a_plan_nobody_is_told() -> None:
    reports = reporting.open_reports(None, TargetType.REGRESSION)
    assert (reports.structured, reports.embedded) == (None, None)
    reports.close(0)


@pytest.mark.parametrize("flag", ["monitor", "monitor_embedded"])
@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "--deployment-id and --model-id"),
        ({"DEPLOYMENT_ID": "d"}, "--model-id"),
        ({"MLOPS_MODEL_ID": "m"}, "--deployment-id"),
    ],
)
def test_what_is_missing_is_named(flag: str, environ: dict[str, str], missing: str) -> None:
    assert refusal(environ, **{flag: True}) == f"--{flag.replace('_', '-')} needs {missing}"


@pytest.mark.parametrize(
    ("given", "missing"), [("EXTERNAL_WEB_SERVER_URL", "--api-token"), ("API_TOKEN", "--webserver")]
)
def test_half_of_what_the_api_needs_is_not_reported_elsewhere(given: str, missing: str, tmp_path: Path) -> None:
    half = {**IDS, given: SERVER[given]}
    words = f"--monitor to DataRobot's API, without --monitor-settings, needs {missing}"
    assert refusal(half, monitor=True) == words
    assert planned({**half, "MONITOR_SETTINGS": f"spooler_type=filesystem;directory={tmp_path}"}, monitor=True)


def test_both_switches_exclude_each_other() -> None:
    words = "--monitor and --monitor-embedded exclude each other; found both"
    assert refusal(IDS, monitor=True, monitor_embedded=True) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("directory=/tmp", "spooler_type is missing, expected such as spooler_type=filesystem"),
        ("spooler_type=stdout;client=other", "client is 'other', expected drum or datarobot"),
        ("spooler_type=kafka;client=drum", "client=drum has no spooler_type 'kafka'"),
        ("spooler_type=datarobot;client=drum", "client=drum has no spooler_type 'datarobot'"),
    ],
)
def test_destinations_that_are_none_are_refused(settings: str, words: str) -> None:
    assert refusal({**IDS, "MONITOR_SETTINGS": settings}, monitor=True) == f"--monitor-settings: {words}"


@pytest.mark.parametrize(
    "environ",
    [
        SERVER,
        {"MONITOR_SETTINGS": "spooler_type=kafka"},
        {"MONITOR_SETTINGS": "spooler_type=filesystem;directory=/tmp;client=datarobot"},
    ],
    ids=str,
)
def test_what_is_for_datarobots_client_needs_it(environ: dict[str, str]) -> None:
    with pytest.raises(LoadError, match="pip install datarobot-mlops"):
        planned({**IDS, **environ}, monitor=True)


@pytest.mark.parametrize("kind", ["filesystem", "FileSystem"])
def test_a_plan_opens_its_destination(tmp_path: Path, kind: str) -> None:
    plan = planned({**IDS, "MONITOR_SETTINGS": f"spooler_type={kind}; directory={tmp_path}"}, monitor=True)
    with reporting.reporting(plan, TargetType.BINARY, patience=30) as reports:
        assert reports.structured is not None
        assert reports.embedded is None
        reports.structured(counted(3))
    [path] = tmp_path.iterdir()
    record = json.loads(path.read_text())
    assert (record["deployment_id"], record["model_id"], record["num_predictions"]) == ("d", "m", 3)


def test_an_unstructured_model_reports_itself(tmp_path: Path) -> None:
    plan = planned({**IDS, "MONITOR_SETTINGS": f"spooler_type=filesystem;directory={tmp_path}"}, monitor_embedded=True)
    with reporting.reporting(plan, TargetType.UNSTRUCTURED, patience=30) as reports:
        assert reports.structured is None
        assert reports.embedded is not None
        reports.embedded("r1").report_deployment_stats(2, 5)
    [path] = tmp_path.iterdir()
    assert json.loads(path.read_text())["request_id"] == "r1"


@pytest.mark.parametrize(
    ("is_embedded", "kind", "words"),
    [
        (False, TargetType.UNSTRUCTURED, "MLOps monitoring can not be used in unstructured mode"),
        (True, TargetType.REGRESSION, "--monitor-embedded is for unstructured models; this one is 'regression'"),
    ],
)
def test_a_model_of_the_other_kind_is_refused(is_embedded: bool, kind: TargetType, words: str) -> None:
    plan = reporting.Plan(is_embedded, lambda: pytest.fail("opened"))
    with pytest.raises(UsageError) as caught:
        reporting.open_reports(plan, kind)
    assert str(caught.value).startswith(words)
    reporting.open_reports(replace(plan, is_embedded=not is_embedded), kind).close(0)


def test_every_kind_of_destination_of_ours_can_be_prepared() -> None:
    ours = {name: line for name, line in plugins.DESTINATIONS.items() if line.package is None}
    assert [name for name, line in ours.items() if not callable(plugins.find(line).prepare)] == []
