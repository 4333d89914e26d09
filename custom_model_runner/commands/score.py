"""`drum score`: predictions for a file."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from custom_model_runner.batch import job, plan, sinks
from custom_model_runner.batch.job import Target
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.errors import EXIT_OK
from custom_model_runner.monitoring import reporting
from custom_model_runner.predictor import open_predictor
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ScoreSettings

# A batch makes its reports faster than they are written; they are part of the job.
SECONDS_FOR_REPORTS = 60.0


def run(
    model: ModelSettings, delivered: Delivered, score: ScoreSettings, monitor: MonitorSettings, log: LogSettings
) -> int:
    """Score the input and write the predictions; everything else goes to standard error."""
    if log.verbose:
        print("Detected score mode", file=sys.stderr)
    output = sinks.choose(score.output, score.input)
    batch = plan.settle(score, output)
    for_terminal = output is None and sys.stdout.isatty()
    start = time.perf_counter()
    stdout = sinks.divert_stdout()
    reports_plan = reporting.plan(monitor, stdout=None if output is None else stdout)
    look = job.begin(batch)
    delivered.fetch()
    with (
        open_predictor(model) as predictor,
        reporting.reporting(reports_plan, predictor.info.target.type, patience=SECONDS_FOR_REPORTS) as reports,
    ):
        loaded = time.perf_counter()
        reporting_predictor = replace(predictor, reporter=reports.structured, mlops=reports.embedded)
        job.run(reporting_predictor, score, batch, look, Target(output, stdout, for_terminal))
    if score.show_perf:
        _report(start, loaded, time.perf_counter())
    return EXIT_OK


def _report(start: float, loaded: float, end: float) -> None:
    for title, seconds in (
        ("Full time", end - start),
        ("Init time (incl model loading)", loaded - start),
        ("Run time (incl reading CSV)", end - loaded),
    ):
        print(f"{title}: sec: min: {seconds:.2f}; avg: {seconds:.2f}; max: {seconds:.2f}", file=sys.stderr)
