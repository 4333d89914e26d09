"""Batches run in this process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from custom_model_runner.addresses import Address
from custom_model_runner.batch import job, local, plan
from custom_model_runner.batch.job import Job
from custom_model_runner.batch.output import Target
from custom_model_runner.batch.tally import Tally
from custom_model_runner.predictor import Predictor
from custom_model_runner.settings import ModelSettings, ScoreSettings


def whole(predictor: Predictor, settings: ScoreSettings, *, for_terminal: bool = False) -> bytes:
    """Return the output of a batch that is handed over as a whole."""
    batch = plan.settle(settings, settings.output)
    local.check(predictor.info, settings, batch)
    return local.run(predictor, settings, batch, local.read(predictor, batch), for_terminal=for_terminal)


def score(
    folder: Path,
    source: Path | str,
    *,
    output: Path | Address | None = None,
    terminal: bool = False,
    target_type: str = "regression",
    tally: Tally | None = None,
    **given: Any,
) -> bytes:
    """Run a batch and return what it writes to standard output."""
    settings = ScoreSettings(input=str(source), output=output, **given)
    model = ModelSettings(code_dir=folder, target_type=target_type)
    with tempfile.TemporaryFile() as stdout:
        target = Target(output, os.dup(stdout.fileno()), terminal)
        job.run(Job(model, settings, plan.settle(settings, output), target, None, tally or Tally()))
        os.close(target.stdout)
        stdout.seek(0)
        return stdout.read()
