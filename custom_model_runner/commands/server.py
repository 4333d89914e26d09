"""`drum server`: predictions over HTTP."""

from __future__ import annotations

import sys

from custom_model_runner import logs
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.server import serving
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ServerSettings


def run(
    model: ModelSettings, delivered: Delivered, server: ServerSettings, monitor: MonitorSettings, log: LogSettings
) -> int:
    """Serve the folder until SIGTERM or SIGINT."""
    if log.verbose:
        print("Detected REST server mode", file=sys.stderr)
    if server.production:
        logs.notice("--production has no effect: the server is always the production server")
    return serving.serve(model, delivered, server, monitor, log)
