"""Where and how to serve."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner import deployment_config
from custom_model_runner.deployment_config import DeploymentConfig
from custom_model_runner.options import option
from custom_model_runner.parsers import address, address_or_off, between, prefix, workers
from custom_model_runner.settings.limits import LimitSettings
from custom_model_runner.settings.safety import SafetySettings
from custom_model_runner.settings.telemetry import TelemetrySettings

PROBE_PORT = 8081


@dataclass(frozen=True)
class ServerSettings(LimitSettings, SafetySettings, TelemetrySettings):
    """Where and how to serve."""

    address: tuple[str, int] = option(
        "--address",
        metavar="HOST:PORT",
        parse=address,
        variable="ADDRESS",
        default=("127.0.0.1", 8080),
        help="where to listen (default 127.0.0.1:8080)",
    )
    probe_address: tuple[str, int] | tuple[()] | None = option(
        "--probe-address",
        metavar="HOST:PORT",
        parse=address_or_off,
        variable="PROBE_ADDRESS",
        help="where probes are answered whatever workers do, or `off` (default: port 8081 of the same host)",
    )
    max_workers: int = option(
        "--max-workers",
        metavar="N|auto",
        parse=workers,
        variable="MAX_WORKERS",
        parameter="CUSTOM_MODEL_WORKERS",
        default=1,
        help="worker processes, auto: as many as processors may be used (default 1)",
    )
    deployment_config: DeploymentConfig | None = option(
        "--deployment-config",
        metavar="FILE",
        parse=deployment_config.read,
        variable="DEPLOYMENT_CONFIG",
        help="JSON file that says how a deployment's answers look; predictions then come one object per row",
    )
    with_error_server: bool = option(
        "--with-error-server",
        is_switch=True,
        default=False,
        variable="WITH_ERROR_SERVER",
        help="when the folder cannot be loaded, serve the reason with status 513",
    )
    show_perf: bool = option("--show-perf", is_switch=True, default=False, help="show prediction times in /stats/")
    production: bool = option(
        "--production",
        is_switch=True,
        default=False,
        variable="PRODUCTION",
        help="accepted and without effect: the server is always the production server",
    )
    graceful_timeout: int = option(
        parameter="DRUM_GUNICORN_GRACEFUL_TIMEOUT",
        parse=between(1, 3600),
        default=25,
        help="seconds in which calls may finish when the server ends",
    )
    keep_alive: int = option(
        parameter="DRUM_GUNICORN_KEEP_ALIVE",
        parse=between(0, 3600),
        default=65,
        help="seconds that an idle connection is kept; 0 closes each after its answer",
    )
    max_requests: int = option(
        parameter="DRUM_GUNICORN_MAX_REQUESTS",
        parse=between(0, 10000),
        default=0,
        help="requests after which a worker is replaced; 0 for never",
    )
    max_requests_jitter: int = option(
        parameter="DRUM_GUNICORN_MAX_REQUESTS_JITTER",
        parse=between(0, 10000),
        default=0,
        help="most requests that are added at random, lest all workers are replaced at once",
    )
    backlog: int = option(
        parameter="DRUM_WEBSERVER_BACKLOG",
        parse=between(1, 10000),
        default=2048,
        help="connections that the system holds until a worker takes them",
    )
    gunicorn_log_level: str | None = option(
        parameter="DRUM_GUNICORN_LOG_LEVEL",
        choices=("debug", "info", "warning", "error", "critical"),
        help="lowest level at which gunicorn speaks, where it is not that of the other lines",
    )
    url_prefix: str = option(variable="URL_PREFIX", parse=prefix, default="", help="prefix of every route")
