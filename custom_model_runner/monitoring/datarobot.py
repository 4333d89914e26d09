"""Reports through DataRobot's own client, the package `datarobot-mlops`, by its documented methods."""

from __future__ import annotations

from typing import Any

from datarobot.mlops.mlops import MLOps

from custom_model_runner.data.report import Report, Samples
from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.monitoring.destination import Destination, OpenSink, Sink

API = "api"


def prepare(destination: Destination) -> OpenSink:
    """Return how a process opens the client; a spooler type that the installed one lacks is a usage error."""
    setter = f"set_{destination.spooler_type}_spooler"
    if not callable(getattr(MLOps, setter, None)):
        raise UsageError(f"--monitor-settings: DataRobot's client has no spooler_type {destination.spooler_type!r}")
    arguments = _arguments(destination)

    def open_sink() -> Sink:
        client = MLOps()
        client.set_deployment_id(destination.subject.deployment_id)
        client.set_model_id(destination.subject.model_id)
        try:
            getattr(client, setter)(**arguments)
        except TypeError as error:
            names = ", ".join(arguments)
            raise RunnerError(f"DataRobot's client refuses the settings of {setter}, found: {names}") from error
        client.init()
        return Sink(lambda report, _dropped: _report(client, report), client.shutdown)

    return open_sink


def _arguments(destination: Destination) -> dict[str, Any]:
    """Return what the spooler is set up with; whole numbers as numbers."""
    settings = {name: int(text) if text.isdecimal() else text for name, text in destination.settings.items()}
    if destination.spooler_type != API:
        return settings
    if not (destination.webserver and destination.api_token):
        raise UsageError("--monitor-settings: spooler_type=api needs --webserver and --api-token")
    return {"mlops_service_url": destination.webserver, "mlops_api_token": destination.api_token, **settings}


def _report(client: Any, report: Report) -> None:
    if report.stats is not None:
        client.report_deployment_stats(report.stats.num_predictions, report.stats.execution_time_ms)
    if report.samples is not None and len(report.samples):
        client.report_predictions_data(**_data(report.samples))


def _data(samples: Samples) -> dict[str, Any]:
    return {
        "features_df": samples.features,
        "predictions": None if samples.predictions is None else samples.predictions.tolist(),
        "association_ids": None if samples.association_ids is None else list(samples.association_ids),
        "class_names": None if samples.class_names is None else list(samples.class_names),
    }
