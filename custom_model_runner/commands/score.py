"""`drum score`: predictions for a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from custom_model_runner.batch import job, plan, progress, sinks, summary
from custom_model_runner.batch.job import Job
from custom_model_runner.batch.output import Target
from custom_model_runner.batch.tally import LOAD, Tally
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
    tally = Tally()
    output = sinks.settle(score.output, score.input)
    summary.check(score.summary, output, score.input, rejects=score.rejects)
    batch = plan.settle(score, output)
    for_terminal = output is None and sys.stdout.isatty()
    stdout = sinks.divert_stdout()
    reports = reporting.plan(monitor, stdout=None if output is None else stdout)
    delivered.fetch()
    target = Target(output, stdout, for_terminal)
    job.run(Job(model, score, batch, target, reports, tally, _watching(score, tally, for_terminal=for_terminal)))
    if score.show_perf:
        _report(tally.stages.seconds())
    if score.summary is not None:
        summary.write(score.summary, tally, stdout=stdout)
    return EXIT_OK


def _watching(score: ScoreSettings, tally: Tally, *, for_terminal: bool) -> Callable[[], AbstractContextManager[None]]:
    """Return what watches over a run if anybody wants to know; a preview needs the terminal for itself."""
    if sys.stderr.isatty() and not score.no_progress and not for_terminal:
        return partial(progress.watching, tally, progress.Line(sys.stderr).show)
    return nullcontext if score.summary is None else partial(progress.watching, tally, lambda _: None)


def _report(stages: Mapping[str, float]) -> None:
    full, loading = sum(stages.values()), stages[LOAD]
    for title, seconds in (
        ("Full time", full),
        ("Init time (incl model loading)", loading),
        ("Run time (incl reading CSV)", full - loading),
    ):
        print(f"{title}: sec: min: {seconds:.2f}; avg: {seconds:.2f}; max: {seconds:.2f}", file=sys.stderr)
