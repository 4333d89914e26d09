"""What is reported to MLOps, about which deployment, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from custom_model_runner.errors import UsageError
from custom_model_runner.options import option
from custom_model_runner.parsers import pairs, web_address


@dataclass(frozen=True)
class MonitorSettings:
    """What is reported to MLOps, about which deployment, and where to."""

    monitor: bool = option(
        "--monitor",
        is_switch=True,
        default=False,
        variable="MONITOR",
        yields_to="monitor_embedded",
        help="report the calls of a structured model to MLOps",
    )
    monitor_embedded: bool = option(
        "--monitor-embedded",
        is_switch=True,
        default=False,
        variable="MLOPS_REPORTING_FROM_UNSTRUCTURED_MODELS",
        yields_to="monitor",
        help="let score_unstructured report to MLOps with its argument mlops",
    )
    deployment_id: str | None = option(
        "--deployment-id",
        metavar="ID",
        variable="DEPLOYMENT_ID",
        fallback="MLOPS_DEPLOYMENT_ID",
        help="deployment that is reported about",
    )
    model_id: str | None = option(
        "--model-id",
        metavar="ID",
        variable="MODEL_ID",
        fallback="MLOPS_MODEL_ID",
        help="model that is reported about",
    )
    monitor_settings: Mapping[str, str] | None = option(
        "--monitor-settings",
        metavar="SETTINGS",
        parse=pairs,
        variable="MONITOR_SETTINGS",
        help="where reports go, such as 'spooler_type=filesystem;directory=/tmp/ta'",
    )
    webserver: str | None = option(
        "--webserver",
        metavar="URL",
        parse=web_address,
        variable="EXTERNAL_WEB_SERVER_URL",
        help="DataRobot server, for its API",
    )
    api_token: str | None = option(
        "--api-token", metavar="TOKEN", variable="API_TOKEN", is_secret=True, help="token for the DataRobot API"
    )
    allow_dr_api_access: bool = option(
        "--allow-dr-api-access",
        is_switch=True,
        default=False,
        variable="ALLOW_DR_API_ACCESS_FOR_ALL_CUSTOM_MODELS",
        help="configure the DataRobot client for user code with --webserver and --api-token",
    )

    @property
    def client_variables(self) -> Mapping[str, str]:
        """The variables from which the DataRobot client takes its server and token; none unless it is allowed."""
        if not self.allow_dr_api_access:
            return {}
        require("--allow-dr-api-access", {"--webserver": self.webserver, "--api-token": self.api_token})
        return {"DATAROBOT_ENDPOINT": f"{self.webserver}/api/v2", "DATAROBOT_API_TOKEN": str(self.api_token)}


def require(flag: str, needed: Mapping[str, str | None]) -> None:
    """Refuse a flag whose companions are missing, naming all of them."""
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise UsageError(f"{flag} needs {' and '.join(missing)}")
