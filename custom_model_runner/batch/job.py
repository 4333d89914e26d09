"""One batch: looked at, then handed over as a whole or in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from custom_model_runner import logs
from custom_model_runner.batch import ahead, flow, local, plan, preview, segments, sinks, sources
from custom_model_runner.batch.blocks import Blocks, Whole
from custom_model_runner.batch.plan import Plan
from custom_model_runner.batch.segments import Segment
from custom_model_runner.plugins import ARROW_STREAM
from custom_model_runner.predictor import Predictor
from custom_model_runner.settings import ScoreSettings

Look = Callable[[], Blocks | Whole]


@dataclass(frozen=True)
class Target:
    """Where results go: a file, or else a descriptor of standard output, which may be a terminal."""

    output: Path | None
    stdout: int
    for_terminal: bool


def begin(batch: Plan) -> Look:
    """Start to look at an input that can be read again, and return what waits for that; pipes are looked at later."""
    if sources.is_lasting(batch.source):
        return ahead.started(partial(plan.look, batch))
    return partial(plan.look_at_pipe, batch)


def run(predictor: Predictor, settings: ScoreSettings, batch: Plan, look: Look, target: Target) -> None:
    """Predict all of an input; `look` is what `begin` has returned."""
    local.check(predictor.info, settings, batch)
    found = look() if plan.takes_blocks(predictor.model) else Whole()
    if isinstance(found, Blocks):
        with local.bounded():
            _run_blocks(predictor, found, batch, target)
        return
    if found.reason is not None:
        logs.notice(f"the input is read as a whole: {found.reason}")
    sinks.emit(
        target.output,
        local.run(predictor, settings, batch, data=found.data, for_terminal=target.for_terminal),
        stdout=target.stdout,
    )


def _run_blocks(predictor: Predictor, blocks: Blocks, batch: Plan, target: Target) -> None:
    form = segments.form(
        *((ARROW_STREAM, None) if target.for_terminal else (batch.written_type, batch.written_encoding))
    )
    with closing(flow.predicted(predictor, blocks)) as tables:
        flow.run(tables, form, _consume(form, target))


def _consume(form: segments.Form, target: Target) -> flow.Consume:
    """Return what takes the segments of an output."""
    if target.output is not None and sinks.is_plain(target.output):
        return flow.kept(target.output, form)

    def consume(found: Iterator[Segment]) -> None:
        with sinks.live(target.output, target.stdout) as file:
            if target.for_terminal:
                file.write(preview.of_segments(found))
            else:
                form.assemble(found, file)

    return consume
