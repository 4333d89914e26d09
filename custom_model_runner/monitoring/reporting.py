"""What is reported and where to: settled by the command, opened in each process that makes predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from custom_model_runner import plugins
from custom_model_runner.data.report import Reporter, Subject
from custom_model_runner.errors import UsageError
from custom_model_runner.monitoring.channel import open_channel
from custom_model_runner.monitoring.destination import Destination, OpenSink
from custom_model_runner.monitoring.mlops import MLOps
from custom_model_runner.settings import MonitorSettings
from custom_model_runner.settings.monitor import require
from custom_model_runner.target_type import TargetType

# Keys of --monitor-settings that choose; the others belong to the destination.
SPOOLER_TYPE = "spooler_type"
CLIENT = "client"
OURS, THEIRS = "drum", "datarobot"
# How long the end of a command that failed waits for reports to be written.
QUICK_SECONDS = 0.5


@dataclass(frozen=True)
class Plan:
    """What a command reports: calls of a structured model, or what an unstructured model says itself."""

    is_embedded: bool
    open_sink: OpenSink

    def check(self, kind: TargetType) -> None:
        """Refuse a target of the other kind."""
        if not self.is_embedded and kind is TargetType.UNSTRUCTURED:
            raise UsageError("MLOps monitoring can not be used in unstructured mode; --monitor-embedded is for that")
        if self.is_embedded and kind is not TargetType.UNSTRUCTURED:
            raise UsageError(f"--monitor-embedded is for unstructured models; this one is '{kind}', use --monitor")


@dataclass(frozen=True)
class Reports:
    """Who is told of structured calls, who makes the `mlops` of a request, and how to end it within some seconds."""

    structured: Reporter | None = None
    embedded: Callable[[str | None], MLOps] | None = None
    close: Callable[[float], None] = lambda seconds: None


def plan(settings: MonitorSettings, *, stdout: int | None) -> Plan | None:
    """Return what settings ask for, or None; whatever contradicts itself or cannot work is a usage error."""
    if settings.monitor and settings.monitor_embedded:
        raise UsageError("--monitor and --monitor-embedded exclude each other; found both")
    if not (settings.monitor or settings.monitor_embedded):
        return None
    flag = "--monitor-embedded" if settings.monitor_embedded else "--monitor"
    require(flag, {"--deployment-id": settings.deployment_id, "--model-id": settings.model_id})
    if not settings.monitor_settings and (settings.webserver or settings.api_token):
        server = {"--webserver": settings.webserver, "--api-token": settings.api_token}
        require(f"{flag} to DataRobot's API, without --monitor-settings,", server)
    line, destination = _destination(settings, stdout)
    return Plan(settings.monitor_embedded, plugins.find(line).prepare(destination))


def _destination(settings: MonitorSettings, stdout: int | None) -> tuple[plugins.Plugin, Destination]:
    given = dict(settings.monitor_settings or {SPOOLER_TYPE: "api" if settings.webserver else "filesystem"})
    kind = given.pop(SPOOLER_TYPE, "").lower()
    if not kind:
        raise UsageError(f"--monitor-settings: {SPOOLER_TYPE} is missing, expected such as {SPOOLER_TYPE}=filesystem")
    client = given.pop(CLIENT, OURS if kind in plugins.DESTINATIONS else THEIRS)
    if client not in (OURS, THEIRS):
        raise UsageError(f"--monitor-settings: {CLIENT} is {client!r}, expected {OURS} or {THEIRS}")
    line = plugins.DESTINATIONS.get(THEIRS if client == THEIRS else kind)
    if line is None or kind == THEIRS:
        raise UsageError(f"--monitor-settings: {CLIENT}={OURS} has no {SPOOLER_TYPE} {kind!r}")
    subject = Subject(str(settings.deployment_id), str(settings.model_id))
    return line, Destination(subject, kind, given, stdout, settings.webserver, settings.api_token)


def open_reports(plan: Plan | None, kind: TargetType, *, waits: bool = False) -> Reports:
    """Open the channel of this process, which calls may wait for or not; a model of the wrong kind is a usage error."""
    if plan is None:
        return Reports()
    plan.check(kind)
    channel = open_channel(plan.open_sink)
    if plan.is_embedded:
        return Reports(embedded=lambda request_id: MLOps(channel.offer, request_id), close=channel.close)
    return Reports(structured=channel.offer_patiently if waits else channel.offer, close=channel.close)


@contextmanager
def reporting(plan: Plan | None, kind: TargetType, *, patience: float, waits: bool = False) -> Iterator[Reports]:
    """Report while it lasts; at the end wait for what is not written yet, after a failure only shortly."""
    reports = open_reports(plan, kind, waits=waits)
    try:
        yield reports
    except BaseException:
        reports.close(QUICK_SECONDS)
        raise
    reports.close(patience)
