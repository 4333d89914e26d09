"""Every option of every command, in frozen sections by concern."""

from __future__ import annotations

from custom_model_runner.settings.delivery import DeliverySettings
from custom_model_runner.settings.log import LogSettings
from custom_model_runner.settings.model import ModelSettings
from custom_model_runner.settings.monitor import MonitorSettings
from custom_model_runner.settings.new import NewModelSettings, NewSchemaSettings
from custom_model_runner.settings.score import ScoreSettings
from custom_model_runner.settings.server import ServerSettings
from custom_model_runner.settings.telemetry import METRICS_DIRECTORY
from custom_model_runner.settings.threads import ONE_THREAD
from custom_model_runner.settings.unavailable import COMMANDS_NOT_AVAILABLE, NOT_AVAILABLE

__all__ = [
    "COMMANDS_NOT_AVAILABLE",
    "METRICS_DIRECTORY",
    "NOT_AVAILABLE",
    "ONE_THREAD",
    "DeliverySettings",
    "LogSettings",
    "ModelSettings",
    "MonitorSettings",
    "NewModelSettings",
    "NewSchemaSettings",
    "ScoreSettings",
    "ServerSettings",
]
