"""One batch: looked at, then handed over as a whole or in blocks, to this process or to several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

from custom_model_runner import codedir, garbage, heap, logs, sharing
from custom_model_runner.batch import (
    ahead,
    expecting,
    flow,
    identity,
    local,
    partial,
    plan,
    pool,
    rejects,
    segments,
    sinks,
    sources,
    steady,
)
from custom_model_runner.batch.blocks import Block, Blocks, Whole
from custom_model_runner.batch.flow import Way
from custom_model_runner.batch.output import Output, Target
from custom_model_runner.batch.partial import Partial
from custom_model_runner.batch.plan import Plan
from custom_model_runner.batch.pool import Pool
from custom_model_runner.batch.rejects import Made
from custom_model_runner.batch.rest import Rest
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.batch.tally import LOAD, LOOK, PREDICT, WRITE, Tally
from custom_model_runner.batch.worker import Open, Work
from custom_model_runner.monitoring import reporting
from custom_model_runner.predictor import Predictor, open_predictor
from custom_model_runner.settings import ModelSettings, ScoreSettings

# A batch makes its reports faster than they are written, and waits for them: they are part of the job.
SECONDS_FOR_REPORTS = 60.0
Look = Callable[[], Blocks | Whole]


@dataclass(frozen=True)
class Job:
    """What is to be done, with what; `watching` is entered while rows are read and no process is forked.

    `partial` is where the parts of a file are kept. If it `expects`, some rows may tell the types of all. `looked` is
    what was found before.
    """

    model: ModelSettings
    settings: ScoreSettings
    batch: Plan
    target: Target
    reports: reporting.Plan | None
    tally: Tally = field(default_factory=Tally)
    watching: Callable[[], AbstractContextManager[None]] = nullcontext
    partial: Partial | None = None
    expects: bool = False
    looked: Blocks | Whole | None = None

    @property
    def form(self) -> Form:
        """How results are encoded."""
        if self.target.for_terminal:
            return segments.preview()
        is_kept = self.partial is not None
        return segments.form(self.batch.written_type, self.batch.written_encoding, is_kept=is_kept)

    @property
    def output(self) -> Output:
        """Where segments go."""
        return Output(self.target, self.form, self.tally, self.partial, self.settings.rejects)

    @property
    def way(self) -> Way:
        """How blocks are predicted."""
        return Way(self.settings.passthrough, self.settings.on_error)

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
    heap.opened(heap.BATCH)
    job.tally.bytes_in = job.batch.size or 0
    with local.bounded(), _beside(job) as kept:
        if kept is None or kept.complete_rows is None:
            with sources.named(job.batch.sources):
                _predict(replace(job, partial=kept))
        else:
            job.tally.resumed_rows = kept.complete_rows
            job.tally.stages.end(LOAD)
    job.tally.stages.end(WRITE)


def _predict(job: Job) -> None:
    try:
        _predict_by(replace(job, expects=_may_expect(job)))
    except expecting.Unconfirmed as error:
        job.tally.begin_anew()
        with job.watching(), steady.kept(job.batch.states):
            found = plan.look(job.batch)
        if isinstance(found, Blocks) and found.types == error.types:
            raise error.failure from error.failure.__cause__
        logs.notice(expecting.BEGINS_ANEW)
        anew = job.partial and replace(job.partial, journal=None, is_begun=True)
        _predict_by(replace(job, partial=anew, looked=found))


def _may_expect(job: Job) -> bool:
    """Say whether nobody notices that rows are predicted twice: no code of the user, no report, nothing shown."""
    begins_anew = job.partial is not None and job.reports is None and job.settings.on_error == rejects.STOP
    if not begins_anew or not sources.is_lasting(job.batch.source):
        return False
    return codedir.open_folder(job.model.code_dir, job.model.language).interface == "artifact"


def _predict_by(job: Job) -> None:
    if job.batch.workers == 1:
        _alone(job, _begin(job))
    elif sharing.is_worth_a_try(job.model):
        _sharing(job)
    else:
        _apart(job, functools.partial(_look, job))


def _beside(job: Job) -> AbstractContextManager[Partial | None]:
    """Return the folder beside an output; a device or a pipe has none, and what comes by a pipe cannot be resumed."""
    output, settings = job.target.output, job.settings
    if output is None or not sinks.is_plain(output):
        return nullcontext()
    settle = functools.partial(identity.settle, job.model, settings)
    return partial.opened(output, settle if sources.is_file(job.batch.source) else None, resumes=settings.resume)


def _look(job: Job) -> Blocks | Whole:
    if job.looked is not None:
        return job.looked
    if job.partial is not None and job.partial.journal is not None:
        known = plan.again(job.batch, job.partial.journal.blocks)
        asks_why = job.settings.on_error == rejects.STOP
        return known if asks_why else expecting.confirmed(known, functools.partial(plan.look, job.batch))
    if sources.is_lasting(job.batch.source):
        return plan.look(job.batch, expects=job.expects)
    return plan.look_at_pipe(job.batch, job.tally.reading)


def _begin(job: Job) -> Look:
    """Start to look at an input that can be read again, and return what waits for that; pipes are looked at later."""
    look = functools.partial(_look, job)
    return ahead.started(look) if sources.is_lasting(job.batch.source) else look


def _found(job: Job, look: Look, *, takes_blocks: bool) -> Blocks | Whole:
    """Return what a look at the input finds, once the model is there."""
    job.tally.stages.end(LOAD)
    if not takes_blocks:
        return Whole()
    with job.watching(), steady.kept(job.batch.states):
        found = look()
    job.tally.stages.end(LOOK)
    if isinstance(found, Blocks):
        # Rows that nobody has counted are those of a plain file, or of a pipe, which has no size.
        job.tally.total, job.tally.text_bytes = found.rows, job.batch.size or 0
    return found


def _alone(job: Job, look: Look, number: int = 0) -> None:
    """Do all in this process, which may be one behind others."""
    with job.open(number) as loaded, job.reporting(loaded) as predictor:
        found = _found(job, look, takes_blocks=plan.takes_blocks(predictor.model))
        if isinstance(found, Whole):
            _whole(job, predictor, found)
            return
        rest, output, form = _rest(job, found), job.output, job.form
        with _predicting(job, found), closing(flow.predicted(predictor, rest, job.way)) as every:
            if job.partial is None:
                ahead.handed_over(every, lambda found: output.show(rest.alike(_encoded(found, form)), rest))
            else:
                output.keep(rest.alike(job.partial.store.added(_encoded(every, form))))
            output.finish(rest)


@contextmanager
def _predicting(job: Job, blocks: Blocks) -> Iterator[None]:
    with expecting.doubted(blocks) if job.expects else nullcontext(), steady.blamed(job.batch.states), job.watching():
        yield


def _encoded(found: Iterable[tuple[Block, Made]], form: Form) -> Iterator[tuple[Block, Segment]]:
    return ((block, made.segment(form)) for block, made in found)


def _sharing(job: Job) -> None:
    """Load the model once, and fork the workers from where it is, if what it left behind allows that."""
    before = sharing.traces()
    look = _begin(job)
    with garbage.kept():
        opened = job.open()
    with opened as predictor:
        found = _found(job, look, takes_blocks=plan.takes_blocks(predictor.model))
        if isinstance(found, Whole):
            with job.reporting(predictor) as reporting_predictor:
                _whole(job, reporting_predictor, found)
            return
        if sharing.is_safe(predictor.model, before):
            with pool.opened(_work(job, lambda _: job.reporting(predictor)), job.batch.workers) as workers:
                _pooled(job, workers, found)
            return
    _apart(job, lambda: found)


def _apart(job: Job, look: Look) -> None:
    """Have each worker load the model; this process has none, unless the input is handed over as a whole."""
    found: Blocks | Whole = Whole()
    with pool.opened(_work(job, functools.partial(_opened, job)), job.batch.workers) as workers:
        if workers.takes_blocks:
            found = _found(job, look, takes_blocks=True)
            if isinstance(found, Blocks):
                _pooled(job, workers, found)
                return
    _alone(job, lambda: found, job.batch.workers)


def _work(job: Job, open_model: Open) -> Work:
    return Work(
        open_model,
        lambda predictor: plan.takes_blocks(predictor.model),
        job.form,
        job.way,
        None if job.partial is None else job.partial.store,
    )


@contextmanager
def _opened(job: Job, number: int) -> Iterator[Predictor]:
    with job.open(number) as loaded, job.reporting(loaded) as predictor:
        yield predictor


def _pooled(job: Job, workers: Pool, blocks: Blocks) -> None:
    rest = _rest(job, blocks)
    with _predicting(job, blocks), closing(workers.segments(rest)) as found:
        if job.partial is None:
            ahead.handed_over(found, lambda pairs: job.output.show(rest.alike(pairs), rest))
        else:
            # The workers keep them.
            job.output.keep(rest.alike(found))
        job.output.finish(rest)


def _rest(job: Job, blocks: Blocks) -> Rest:
    """Return what is to be done of an input; what was done before is in the folder of an interrupted run."""
    before = {} if job.partial is None else job.partial.begin(blocks.known)
    steadily = replace(blocks, read=steady.reading(blocks.read, job.batch.states))
    rest = Rest(steadily, job.batch.name, before, job.form.join, job.tally.passed)
    job.tally.rejected_rows = rest.rejected
    job.tally.resumed_rows = rest.rows - rest.rejected
    return rest


def _whole(job: Job, predictor: Predictor, found: Whole) -> None:
    local.check_whole(predictor, job.settings, job.batch)
    with job.watching(), steady.kept(job.batch.states):
        data = _data(job, predictor, found)
    # Not before: what cannot be read is told in one line.
    if found.reason is not None:
        logs.notice(f"the input is read as a whole: {found.reason}")
    elif data and not data.isspace():
        logs.notice(*local.regardless(predictor, job.settings, job.batch))
    observed = replace(predictor, observers=(job.tally.observe,))
    with job.watching():
        made = local.run(observed, job.settings, job.batch, data, for_terminal=job.target.for_terminal)
    job.tally.stages.end(PREDICT)
    job.output.write(made)


def _data(job: Job, predictor: Predictor, found: Whole) -> bytes:
    if found.data is not None:
        return found.data
    data = local.read(predictor, job.batch)
    if not sources.is_lasting(job.batch.source):
        job.tally.bytes_in = len(data)
    return data
