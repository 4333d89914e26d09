"""`drum doctor`: what is wrong with a folder."""

from __future__ import annotations

import sys

from custom_model_runner.checks import doctor
from custom_model_runner.settings import LogSettings, ModelSettings


def run(model: ModelSettings, log: LogSettings) -> int:
    """Write what the folder is, and what would keep it from being loaded; a problem makes the exit code 1."""
    if log.verbose:
        print("Looking at the folder, without running its code", file=sys.stderr)
    report = doctor.examine(model)
    sys.stdout.write(report.text())
    return report.exit_code
