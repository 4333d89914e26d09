"""What operators of a server are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.options import option

# Names the folder that the run makes for itself; an operator may name the place for it.
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True)
class TelemetrySettings:
    """What operators of a server are told of it."""

    metrics_directory: Path | None = option(
        variable=METRICS_DIRECTORY, parse=Path, help="place for the counters of the workers"
    )
    otlp_endpoint: str | None = option(
        variable="OTEL_EXPORTER_OTLP_ENDPOINT", help="where spans are sent, by OTLP over HTTP"
    )
    otel_disabled: bool = option(
        variable="OTEL_SDK_DISABLED",
        parameter="OTEL_SDK_DISABLED",
        is_switch=True,
        default=False,
        help="send no spans, whatever the endpoint",
    )

    @property
    def sends_spans(self) -> bool:
        """Whether spans are to be sent."""
        return bool(self.otlp_endpoint) and not self.otel_disabled
