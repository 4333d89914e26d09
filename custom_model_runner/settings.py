"""Every option of every command, in frozen sections by concern."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.options import option
from custom_model_runner.parsers import (
    address,
    existing_directory,
    input_file,
    labels,
    labels_file,
    new_directory,
    output_file,
    positive,
    prefix,
    workers,
)
from custom_model_runner.target_type import TargetType

LOGGING_LEVELS = ("all", "debug", "info", "warn", "warning", "error", "critical", "fatal")


@dataclass(frozen=True)
class ModelSettings:
    """Which folder, and what its predictions mean."""

    code_dir: Path = option(
        "-cd",
        "--code-dir",
        metavar="DIR",
        variable="CODE_DIR",
        parse=existing_directory,
        required=True,
        help="folder with the model artifact and/or custom code",
    )
    language: str | None = option(
        "--language",
        choices=("python", "r", "julia", "java", "other"),
        help="language of the folder; detected when left out",
    )
    target_type: str | None = option(
        "--target-type",
        choices=tuple(kind.value for kind in TargetType),
        variable="TARGET_TYPE",
        help="what the model predicts; else taken from the metadata or inferred from the model",
    )
    positive_class_label: str | None = option(
        "--positive-class-label",
        metavar="LABEL",
        variable="POSITIVE_CLASS_LABEL",
        help="positive label of a binary target",
    )
    negative_class_label: str | None = option(
        "--negative-class-label",
        metavar="LABEL",
        variable="NEGATIVE_CLASS_LABEL",
        help="negative label of a binary target",
    )
    class_labels: tuple[str, ...] | None = option(
        "--class-labels",
        metavar="LABEL",
        takes_many=True,
        parse=labels,
        variable="CLASS_LABELS",
        yields_to="class_labels_file",
        help="labels of a multiclass or multilabel target, in order",
    )
    class_labels_file: tuple[str, ...] | None = option(
        "--class-labels-file",
        metavar="FILE",
        parse=labels_file,
        variable="CLASS_LABELS_FILE",
        yields_to="class_labels",
        help="file with one class label per line",
    )
    target_name: str | None = option(
        variable="TARGET_NAME",
        help="name of the target; needed by the text kinds of target",
    )


@dataclass(frozen=True)
class LogSettings:
    """What is said beside the results."""

    verbose: bool = option("--verbose", is_switch=True, default=False, help="say more on standard error")
    logging_level: str = option(
        "--logging-level", choices=LOGGING_LEVELS, default="warning", help="lowest level that is logged"
    )
    show_stacktrace: bool = option(
        "--show-stacktrace",
        is_switch=True,
        default=False,
        variable="SHOW_STACKTRACE",
        help="print the traceback of a failure",
    )


@dataclass(frozen=True)
class ScoreSettings:
    """One batch: from where, to where, and as what."""

    input: str = option(
        "--input", metavar="FILE", parse=input_file, required=True, help="file to score; - is standard input"
    )
    output: Path | None = option(
        "--output", metavar="FILE", parse=output_file, help="file to write; else standard output"
    )
    query: str | None = option("--query", metavar="STR", help="URL-encoded query handed to score_unstructured")
    content_type: str | None = option(
        "--content-type", metavar="STR", help="content type of the input, for unstructured models"
    )
    show_perf: bool = option("--show-perf", is_switch=True, default=False, help="report how long the run took")


@dataclass(frozen=True)
class ServerSettings:
    """Where and how to serve."""

    address: tuple[str, int] = option(
        "--address",
        metavar="HOST:PORT",
        parse=address,
        variable="ADDRESS",
        default=("127.0.0.1", 8080),
        help="where to listen (default 127.0.0.1:8080)",
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


@dataclass(frozen=True)
class NewModelSettings:
    """What folder to create."""

    code_dir: Path = option(
        "-cd",
        "--code-dir",
        metavar="DIR",
        variable="CODE_DIR",
        parse=new_directory,
        required=True,
        help="folder to create",
    )
    language: str = option("--language", choices=("python",), required=True, help="language of the new folder")


# Options of the original that this version does not have, and the variable that would set each.
NOT_AVAILABLE = {
    "--allow-dr-api-access": "ALLOW_DR_API_ACCESS_FOR_ALL_CUSTOM_MODELS",
    "--api-token": None,
    "--deployment-config": "DEPLOYMENT_CONFIG",
    "--deployment-id": None,
    "--docker": None,
    "--gpu-predictor": None,
    "--lazy-loading-file": "LAZY_LOADING_FILE",
    "--memory": None,
    "--model-id": None,
    "--monitor": "MONITOR",
    "--monitor-embedded": "MLOPS_REPORTING_FROM_UNSTRUCTURED_MODELS",
    "--monitor-settings": None,
    "--runtime-params-file": "RUNTIME_PARAMS_FILE",
    "--sidecar": None,
    "--skip-deps-install": None,
    "--sparse-column-file": None,
    "--triton-grpc-port": None,
    "--triton-host": None,
    "--triton-http-port": None,
    "--user-secrets-mount-path": "USER_SECRETS_MOUNT_PATH",
    "--user-secrets-prefix": "USER_SECRETS_PREFIX",
    "--webserver": None,
}
COMMANDS_NOT_AVAILABLE = ("fit", "perf-test", "validation", "push")
