"""What is said beside the results."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner.options import option

LOGGING_LEVELS = ("all", "debug", "info", "warn", "warning", "error", "critical", "fatal")


@dataclass(frozen=True)
class LogSettings:
    """What is said beside the results."""

    verbose: bool = option("--verbose", is_switch=True, default=False, help="say more on standard error")
    logging_level: str = option(
        "--logging-level", choices=LOGGING_LEVELS, default="warning", help="lowest level that is logged"
    )
    log_format: str = option(
        "--log-format",
        choices=("text", "json"),
        variable="LOG_FORMAT",
        default="text",
        help="form of the lines on standard error (default text)",
    )
    show_stacktrace: bool = option(
        "--show-stacktrace",
        is_switch=True,
        default=False,
        variable="SHOW_STACKTRACE",
        help="print the traceback of a failure",
    )
