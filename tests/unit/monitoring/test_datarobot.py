"""Reports through DataRobot's client, for which a module of its name stands in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from custom_model_runner import plugins
from custom_model_runner.data.report import Report, Samples, Stats
from custom_model_runner.errors import LoadError, RunnerError, UsageError
from custom_model_runner.monitoring.destination import Destination

from .reports import SUBJECT

ADAPTER = "custom_model_runner.monitoring.datarobot"
CLIENT = ("datarobot", "datarobot.mlops", "datarobot.mlops.mlops")
Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What was called of the client, in order."""
    made: Calls = []

    class MLOps:
        def set_filesystem_spooler(self, directory: str, max_files: int = 5) -> None:
            made.append(("set_filesystem_spooler", (), {"directory": directory, "max_files": max_files}))

        def set_api_spooler(self, **settings: Any) -> None:
            made.append(("set_api_spooler", (), settings))

        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: made.append((name, args, kwargs))

    for name in CLIENT:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    vars(sys.modules[CLIENT[-1]])["MLOps"] = MLOps
    sys.modules.pop(ADAPTER, None)
    yield made
    sys.modules.pop(ADAPTER, None)


def prepare(spooler_type: str, server: bool = False, **settings: str) -> Any:
    webserver, token = ("https://app.example.com", "secret") if server else (None, None)
    destination = Destination(SUBJECT, spooler_type, settings, webserver=webserver, api_token=token)
    return importlib.import_module(ADAPTER).prepare(destination)


def test_a_client_is_set_up_and_shut_down(calls: Calls) -> None:
    open_sink = prepare("filesystem", directory="/tmp/ta", max_files="7")
    assert calls == []
    open_sink().close()
    assert calls == [
        ("set_deployment_id", ("the-deployment",), {}),
        ("set_model_id", ("the-model",), {}),
        ("set_filesystem_spooler", (), {"directory": "/tmp/ta", "max_files": 7}),
        ("init", (), {}),
        ("shutdown", (), {}),
    ]


def test_the_api_gets_server_and_token(calls: Calls) -> None:
    prepare("api", server=True, verify="no")()
    assert calls[2] == (
        "set_api_spooler",
        (),
        {"mlops_service_url": "https://app.example.com", "mlops_api_token": "secret", "verify": "no"},
    )


def test_a_report_is_handed_over_by_the_documented_methods(calls: Calls) -> None:
    features = pd.DataFrame({"x": [1, 2]})
    samples = Samples(features, np.array([[0.25, 0.75], [1, 0]]), ("no", "yes"), ("a", "b"))
    sink = prepare("filesystem", directory="/tmp/ta")()
    calls.clear()
    sink.write(Report(0.0, "r", Stats(2, 1.5), samples), 0)
    [(first, args, _), (second, _, data)] = calls
    assert (first, args) == ("report_deployment_stats", (2, 1.5))
    assert second == "report_predictions_data"
    assert data.pop("features_df") is features
    assert data == {
        "predictions": [[0.25, 0.75], [1.0, 0.0]],
        "association_ids": ["a", "b"],
        "class_names": ["no", "yes"],
    }


def test_what_is_not_known_is_none(calls: Calls) -> None:
    sink = prepare("filesystem", directory="/tmp/ta")()
    calls.clear()
    sink.write(Report(0.0, "r", samples=Samples(None, np.array([1.5]))), 0)
    [(_, _, data)] = calls
    assert data == {"features_df": None, "predictions": [1.5], "association_ids": None, "class_names": None}


def test_a_table_without_rows_is_not_handed_over(calls: Calls) -> None:
    sink = prepare("filesystem", directory="/tmp/ta")()
    calls.clear()
    sink.write(Report(0.0, "r", Stats(0, 1.5), Samples(None, np.empty(0))), 0)
    assert [name for name, _, _ in calls] == ["report_deployment_stats"]


def test_a_spooler_that_the_client_lacks_is_refused(calls: Calls) -> None:
    with pytest.raises(UsageError, match="DataRobot's client has no spooler_type 'pigeon'"):
        prepare("pigeon")


def test_settings_that_the_client_refuses_are_an_error_that_names_them(calls: Calls) -> None:
    with pytest.raises(RunnerError, match="refuses the settings of set_filesystem_spooler, found: dir"):
        prepare("filesystem", dir="/tmp/ta")()


def test_the_api_needs_server_and_token(calls: Calls) -> None:
    with pytest.raises(UsageError, match="spooler_type=api needs --webserver and --api-token"):
        prepare("api")


def test_without_the_client_there_is_a_line_that_installs_it() -> None:
    with pytest.raises(LoadError, match=r"install it with: pip install datarobot-mlops$"):
        plugins.find(plugins.DESTINATIONS["datarobot"])
