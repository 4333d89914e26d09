"""`drum score`: predictions for a file."""

from __future__ import annotations

import sys
import time

from custom_model_runner.batch import job, plan, sinks
from custom_model_runner.batch.job import Job, Target
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.errors import EXIT_OK
from custom_model_runner.monitoring import reporting
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ScoreSettings


def run(
    model: ModelSettings, delivered: Delivered, score: ScoreSettings, monitor: MonitorSettings, log: LogSettings
) -> int:
    """Score the input and write the predictions; everything else goes to standard error."""
    if log.verbose:
        print("Detected score mode", file=sys.stderr)
    output = sinks.choose(score.output, score.input)
    batch = plan.settle(score, output)
    for_terminal = output is None and sys.stdout.isatty()
    times = [time.perf_counter()]
    stdout = sinks.divert_stdout()
    reports = reporting.plan(monitor, stdout=None if output is None else stdout)
    delivered.fetch()
    target = Target(output, stdout, for_terminal)
    job.run(Job(model, score, batch, target, reports, lambda: times.append(time.perf_counter())))
    if score.show_perf:
        _report(times[0], times[-1], time.perf_counter())
    return EXIT_OK


def _report(start: float, loaded: float, end: float) -> None:
    for title, seconds in (
        ("Full time", end - start),
        ("Init time (incl model loading)", loaded - start),
        ("Run time (incl reading CSV)", end - loaded),
    ):
        print(f"{title}: sec: min: {seconds:.2f}; avg: {seconds:.2f}; max: {seconds:.2f}", file=sys.stderr)
