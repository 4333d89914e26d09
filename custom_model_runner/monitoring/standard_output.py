"""Reports as JSON lines on standard output, whole lines also where several processes write."""

from __future__ import annotations

import os

from custom_model_runner.data.report import Report
from custom_model_runner.errors import RunnerError, UsageError
from custom_model_runner.locks import open_lock
from custom_model_runner.monitoring import json_lines
from custom_model_runner.monitoring.destination import Destination, OpenSink, Sink


def prepare(destination: Destination) -> OpenSink:
    """Return how a process opens standard output; processes forked later take turns."""
    destination.refuse_others(())
    descriptor = destination.stdout
    if descriptor is None:
        raise UsageError("--monitor-settings: spooler_type=stdout needs --output, or predictions and reports would mix")
    turn = open_lock()

    def write(report: Report, dropped: int) -> None:
        for line in json_lines.write(report, destination.subject, dropped=dropped):
            try:
                with turn.held():
                    _write_all(descriptor, line)
            except OSError as error:
                raise RunnerError(f"MLOps reports cannot be written to standard output: {error.strerror}") from error

    return lambda: Sink(write)


def _write_all(descriptor: int, line: bytes) -> None:
    """Write a line to a pipe, which may take it in pieces."""
    view = memoryview(line)
    while view:
        view = view[os.write(descriptor, view) :]
