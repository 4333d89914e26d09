"""A folder opened in a program of the user's own, as the server would open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from custom_model_runner import cli
from custom_model_runner.monitoring import reporting
from custom_model_runner.predictor import Predictor, open_predictor

# How long the end waits for reports to be written.
SECONDS_FOR_REPORTS = 3.0


@contextmanager
def drum_inline_predictor(
    target_type: str, custom_model_dir: str | Path, target_name: str, *cmd_args: str
) -> Iterator[Predictor]:
    """Open a folder with the options of `drum server`; while it is open, TARGET_NAME and what it is given are set.

    Calls do not take turns: one may begin while the stream of another is read.
    """
    words = ["server", "--code-dir", str(custom_model_dir), "--target-type", str(target_type), *map(str, cmd_args)]
    with cli.settled(words, {"TARGET_NAME": target_name}) as sections:
        model, delivered, _server, monitor, _log = sections
        plan = reporting.plan(monitor, stdout=None)
        delivered.fetch()
        with (
            open_predictor(model) as predictor,
            reporting.reporting(plan, predictor.info.target.type, patience=SECONDS_FOR_REPORTS) as reports,
        ):
            yield replace(predictor, slots=nullcontext, reporter=reports.structured, mlops=reports.embedded)
