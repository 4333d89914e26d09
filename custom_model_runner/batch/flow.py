"""Blocks on their way through a model in this process: read, predicted and written at the same time, in order."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from custom_model_runner.batch import ahead, keys, mixed, rejects
from custom_model_runner.batch.blocks import Block, Blocks
from custom_model_runner.batch.rejects import Made
from custom_model_runner.batch.rest import InFile, OfRows, Rest
from custom_model_runner.data import answers, tables, transformed
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import BaseCustomUserError, RunnerError, SchemaError
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

# Reading a table takes longer than most models do, and lets go of the GIL meanwhile.
READERS = 2


@dataclass(frozen=True)
class Way:
    """How blocks are predicted: the columns that are carried along, and what becomes of rows that fail."""

    passthrough: Sequence[str] = ()
    on_error: str = rejects.STOP


def predicted(predictor: Predictor, rest: Rest, way: Way) -> Generator[tuple[Block, Made], None, None]:
    """Yield what becomes of each block that is not done; the next one is read meanwhile."""

    def begun(block: Block) -> tuple[Block, Payload | OfRows]:
        known = replace(block, data=b"")
        try:
            return known, read(predictor, rest.blocks, block)
        except OfRows as error:
            # Which rows these are is known when those before are done.
            return known, error

    for block, payload in ahead.mapped(begun, ahead.ahead(rest.read()), threads=READERS):
        try:
            if isinstance(payload, OfRows):
                raise payload
            made = made_of(predictor, payload, way)
        except OfRows as error:
            raise rest.failure(block, error) from error
        yield block, made
        rest.take(block, made.rows + made.skipped)


def read(predictor: Predictor, blocks: Blocks, block: Block) -> Payload:
    """Return the payload of a block with its table; a failure names the file where there are several.

    A schema is broken by its rows.
    """
    payload = blocks.payload(block)
    try:
        return replace(payload, table=predictor.read(payload))
    except SchemaError as error:
        raise OfRows(len(tables.read(payload)), error, comes_again=True) from error
    except RunnerError as error:
        raise in_file(block.source, error) from error


def in_file(source: str | None, error: RunnerError) -> RunnerError:
    """Return a failure of what was read, with the file where there are several."""
    return error if source is None else InFile(source, error)


def made_of(predictor: Predictor, payload: Payload, way: Way) -> Made:
    """Return what becomes of the table in a payload; a failure is one of its rows."""
    try:
        made = table(predictor, payload, way.passthrough)
        return Made(made, len(made))
    except OfRows as error:
        if way.on_error == rejects.STOP:
            error.args += mixed.why(predictor, payload, error.__cause__)
            raise
        # Hooks may have changed it in place.
        came = predictor.read(replace(payload, table=None))
        # A hook that asks for the bytes gets those of the whole block, and cannot do with less.
        predict = partial(_part, predictor, payload, way)
        return rejects.narrowed(came, predict, error, keys=way.passthrough if way.on_error == rejects.NULL else None)


def _part(predictor: Predictor, payload: Payload, way: Way, part: pd.DataFrame) -> pd.DataFrame:
    return table(predictor, replace(payload, table=part), way.passthrough)


def table(predictor: Predictor, payload: Payload, passthrough: Sequence[str]) -> pd.DataFrame:
    """Return what a model makes of the table in a payload, and the columns that are carried along."""
    rows = 0 if payload.table is None else len(payload.table)
    try:
        if predictor.info.target.type is TargetType.TRANSFORM:
            return transformed.dense(keys.transform(predictor, payload, passthrough))
        return answers.table(keys.score(predictor, payload, passthrough))
    except (RunnerError, BaseCustomUserError) as error:
        raise OfRows(rows, error) from error
