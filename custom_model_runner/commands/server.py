"""`drum server`: predictions over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from custom_model_runner import garbage, logs, plugins
from custom_model_runner.server import supervisor
from custom_model_runner.server.seat import Seat
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ServerSettings

if TYPE_CHECKING:
    from custom_model_runner.delivery.delivered import Delivered


def supervise(start: Callable[[Seat], int], server: ServerSettings) -> int:
    """Watch over processes that serve the folder, until SIGTERM or SIGINT; in such a process, be one."""
    return supervisor.supervise(start, server)


def run(  # noqa: PLR0917  # the seat, and a section each
    seat: Seat,
    model: ModelSettings,
    delivered: Delivered,
    server: ServerSettings,
    monitor: MonitorSettings,
    log: LogSettings,
) -> int:
    """Serve the folder on the seat that the supervisor gave."""
    if log.verbose:
        print("Detected REST server mode", file=sys.stderr)
    if server.production:
        logs.notice("--production has no effect: the server is always the production server")
    with garbage.kept():
        serving = plugins.find(plugins.ENTRIES["serving"])
    code: int = serving.serve(seat, model, delivered=delivered, server=server, monitor=monitor, log=log)
    return code
