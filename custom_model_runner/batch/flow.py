"""Blocks on their way through a model in this process: read, predicted and written at the same time, in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from custom_model_runner.batch import ahead, keys, sinks, store
from custom_model_runner.batch.blocks import Block, Blocks
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.data import answers, transformed
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import BaseCustomUserError, RunnerError
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

# Reading a table takes longer than most models do, and lets go of the GIL meanwhile.
READERS = 2
# Takes all segments in order.
Consume = Callable[[Iterator[Segment]], None]


class InBlock(RunnerError):
    """A failure of some rows of an input, with the exit code of what failed."""

    def __init__(self, row: int, error: RunnerError | BaseCustomUserError) -> None:
        super().__init__(f"In the block that begins with row {row + 1}: {error}")
        self.exit_code = error.exit_code


class InFile(RunnerError):
    """A failure to read one of several files, with the exit code of what failed."""

    def __init__(self, source: str, error: RunnerError) -> None:
        super().__init__(f"{source}: {error}")
        self.exit_code = error.exit_code


def predicted(predictor: Predictor, blocks: Blocks, passthrough: Sequence[str]) -> Generator[pd.DataFrame, None, None]:
    """Yield what the model makes of each block; the next one is read meanwhile."""

    def read(block: Block) -> Payload:
        payload = blocks.payload(block)
        try:
            return replace(payload, table=predictor.read(payload))
        except RunnerError as error:
            raise in_file(block.source, error) from error

    row = 0
    for payload in ahead.mapped(read, ahead.ahead(blocks.read()), threads=READERS):
        try:
            made = table(predictor, payload, passthrough)
        except (RunnerError, BaseCustomUserError) as error:
            raise InBlock(row, error) from error
        yield made
        row += len(made)
    check_rows(row, blocks)


def in_file(source: str | None, error: RunnerError) -> RunnerError:
    """Return a failure of what was read, with the file where there are several."""
    return error if source is None else InFile(source, error)


def check_rows(count: int, blocks: Blocks) -> None:
    """Refuse to end with another number of rows than the look at the input has found."""
    if blocks.rows is not None and count != blocks.rows:
        raise RunnerError(f"{count} rows were read, expected the {blocks.rows} that were there before")


def table(predictor: Predictor, payload: Payload, passthrough: Sequence[str]) -> pd.DataFrame:
    """Return what a model makes of one table, and the columns that are carried along."""
    if predictor.info.target.type is TargetType.TRANSFORM:
        return transformed.dense(keys.transform(predictor, payload, passthrough))
    return answers.table(keys.score(predictor, payload, passthrough))


def kept(output: Path, form: Form) -> Consume:
    """Return what keeps segments beside a file until all are there, and then assembles the file."""

    def consume(found: Iterator[Segment]) -> None:
        with store.opened(output) as segments_store:
            count = 0
            for count, segment in enumerate(found, start=1):
                segments_store.add(count - 1, segment)
            with sinks.replacing(output) as file:
                form.assemble(segments_store.segments(count), file)

    return consume
