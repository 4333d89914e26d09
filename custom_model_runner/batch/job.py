"""One batch: looked at, then handed over as a whole or in blocks, to this process or to several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from custom_model_runner import logs, sharing
from custom_model_runner.batch import ahead, flow, local, plan, pool, preview, segments, sinks, sources
from custom_model_runner.batch.blocks import Blocks, Whole
from custom_model_runner.batch.plan import Plan
from custom_model_runner.batch.pool import Pool
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.batch.tally import LOAD, LOOK, PREDICT, WRITE, Tally
from custom_model_runner.batch.worker import Open, Work
from custom_model_runner.errors import UsageError
from custom_model_runner.monitoring import reporting
from custom_model_runner.plugins import ARROW_STREAM
from custom_model_runner.predictor import Predictor, open_predictor
from custom_model_runner.settings import ModelSettings, ScoreSettings

# A batch makes its reports faster than they are written, and waits for them: they are part of the job.
SECONDS_FOR_REPORTS = 60.0
Look = Callable[[], Blocks | Whole]


@dataclass(frozen=True)
class Target:
    """Where results go: a file, or else a descriptor of standard output, which may be a terminal."""

    output: Path | None
    stdout: int
    for_terminal: bool


@dataclass(frozen=True)
class Job:
    """What is to be done, with what; `watching` is entered while rows are read and no process is forked."""

    model: ModelSettings
    settings: ScoreSettings
    batch: Plan
    target: Target
    reports: reporting.Plan | None
    tally: Tally = field(default_factory=Tally)
    watching: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def form(self) -> Form:
        """How results are encoded."""
        if self.target.for_terminal:
            return segments.form(ARROW_STREAM, None)
        return segments.form(self.batch.written_type, self.batch.written_encoding)

    def open(self, number: int = 0) -> Predictor:
        """Load the model and check what was asked for against it; only the first of several processes tells of it."""
        predictor = open_predictor(self.model, tell=logs.notice if number == 0 else lambda *_: None)
        local.check(predictor.info, self.settings, self.batch)
        return predictor

    @contextmanager
    def reporting(self, predictor: Predictor) -> Iterator[Predictor]:
        """Give a predictor whose calls are reported by this process."""
        kind = predictor.info.target.type
        with reporting.reporting(self.reports, kind, patience=SECONDS_FOR_REPORTS, waits=True) as reports:
            yield replace(predictor, reporter=reports.structured, mlops=reports.embedded)


def run(job: Job) -> None:
    """Predict all of an input."""
    job.tally.bytes_in = sources.size_of(job.batch.sources)
    with local.bounded():
        if job.batch.workers == 1:
            _alone(job, _begin(job))
        elif sharing.is_worth_a_try(job.model):
            _sharing(job)
        else:
            _apart(job, partial(_look, job))
    job.tally.stages.end(WRITE)


def _look(job: Job) -> Blocks | Whole:
    if sources.is_lasting(job.batch.source):
        return plan.look(job.batch)
    return plan.look_at_pipe(job.batch, job.tally.reading)


def _begin(job: Job) -> Look:
    """Start to look at an input that can be read again, and return what waits for that; pipes are looked at later."""
    look = partial(_look, job)
    return ahead.started(look) if sources.is_lasting(job.batch.source) else look


def _found(job: Job, look: Look, *, takes_blocks: bool) -> Blocks | Whole:
    """Return what a look at the input finds, once the model is there."""
    job.tally.stages.end(LOAD)
    if not takes_blocks:
        return Whole()
    with job.watching():
        found = look()
    job.tally.stages.end(LOOK)
    job.tally.total = found.rows if isinstance(found, Blocks) else None
    return found


def _alone(job: Job, look: Look) -> None:
    """Do all in this process."""
    with job.open() as loaded, job.reporting(loaded) as predictor:
        found = _found(job, look, takes_blocks=plan.takes_blocks(predictor.model))
        if isinstance(found, Whole):
            _whole(job, predictor, found)
            return
        form, consume = job.form, _consume(job)
        with job.watching(), closing(flow.predicted(predictor, found, job.settings.passthrough)) as tables:
            ahead.handed_over(tables, lambda made: consume(map(form.encode, made)))


def _sharing(job: Job) -> None:
    """Load the model once, and fork the workers from where it is, if what it left behind allows that."""
    before = sharing.traces()
    look = _begin(job)
    with job.open() as predictor:
        found = _found(job, look, takes_blocks=plan.takes_blocks(predictor.model))
        if isinstance(found, Whole):
            with job.reporting(predictor) as reporting_predictor:
                _whole(job, reporting_predictor, found)
            return
        if sharing.is_safe(predictor.model, before):
            sharing.freeze()
            with pool.opened(_work(job, lambda _: job.reporting(predictor)), job.batch.workers) as workers:
                _pooled(job, workers, found)
            return
    _apart(job, lambda: found)


def _apart(job: Job, look: Look) -> None:
    """Have each worker load the model; this process has none, unless the input is handed over as a whole."""
    found: Blocks | Whole = Whole()
    with pool.opened(_work(job, partial(_opened, job)), job.batch.workers) as workers:
        if workers.takes_blocks:
            found = _found(job, look, takes_blocks=True)
            if isinstance(found, Blocks):
                _pooled(job, workers, found)
                return
    _alone(job, lambda: found)


def _work(job: Job, open_model: Open) -> Work:
    return Work(open_model, lambda predictor: plan.takes_blocks(predictor.model), job.form, job.settings.passthrough)


@contextmanager
def _opened(job: Job, number: int) -> Iterator[Predictor]:
    with job.open(number) as loaded, job.reporting(loaded) as predictor:
        yield predictor


def _pooled(job: Job, workers: Pool, blocks: Blocks) -> None:
    with job.watching(), closing(workers.segments(blocks)) as found:
        ahead.handed_over(found, _consume(job))


def _whole(job: Job, predictor: Predictor, found: Whole) -> None:
    if len(job.batch.sources) > 1:
        raise UsageError("--input: what is handed over as a whole is one file; found several")
    with job.watching():
        data = _data(job, predictor, found)
    # Not before: what cannot be read is told in one line.
    if found.reason is not None:
        logs.notice(f"the input is read as a whole: {found.reason}")
    observed = replace(predictor, observers=(job.tally.observe,))
    with job.watching():
        made = local.run(observed, job.settings, job.batch, data, for_terminal=job.target.for_terminal)
    job.tally.stages.end(PREDICT)
    job.tally.bytes_out = len(made)
    sinks.emit(job.target.output, made, stdout=job.target.stdout)


def _data(job: Job, predictor: Predictor, found: Whole) -> bytes:
    if found.data is not None:
        return found.data
    data = local.read(predictor, job.batch)
    if not sources.is_lasting(job.batch.source):
        job.tally.bytes_in = len(data)
    return data


def _consume(job: Job) -> flow.Consume:
    """Return what takes the segments of an output."""
    form, target, counted = job.tally.writing(job.form), job.target, job.tally.counted
    if target.output is not None and sinks.is_plain(target.output):
        keep = flow.kept(target.output, form)
        return lambda found: keep(counted(found))

    def consume(found: Iterator[Segment]) -> None:
        with sinks.live(target.output, target.stdout) as file:
            if target.for_terminal:
                file.write(preview.of_segments(counted(found)))
            else:
                form.assemble(counted(found), file)

    return consume
