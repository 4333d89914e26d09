"""Where and how to serve."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner import deployment_config
from custom_model_runner.deployment_config import DeploymentConfig
from custom_model_runner.options import option
from custom_model_runner.parsers import address, address_or_off, positive, prefix, workers
from custom_model_runner.settings.telemetry import TelemetrySettings

PROBE_PORT = 8081


@dataclass(frozen=True)
class ServerSettings(TelemetrySettings):
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
        metavar="N",
        parse=workers,
        variable="MAX_WORKERS",
        parameter="CUSTOM_MODEL_WORKERS",
        default=1,
        help="worker processes (default 1)",
    )
    threads: int | None = option(
        "--threads",
        metavar="N",
        parse=positive,
        help="calls of user code at the same time in one worker (default 1, or what the metadata allows)",
    )
    max_body_bytes: int = option(
        "--max-body-bytes",
        metavar="N",
        parse=positive,
        default=1 << 30,
        help="largest request body, in bytes (default 1 GiB)",
    )
    max_decoded_bytes: int = option(
        "--max-decoded-bytes",
        metavar="N",
        parse=positive,
        default=1 << 30,
        help="most bytes that a compressed body may decode to (default 1 GiB)",
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
    url_prefix: str = option(variable="URL_PREFIX", parse=prefix, default="", help="prefix of every route")
