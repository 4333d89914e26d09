"""What is done before the first request and after the last fork, so that the first is not slower than others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import ScoreNumbers, Scores
from custom_model_runner.model import Context
from custom_model_runner.predictor import Predictor

Score = Callable[[Any, Context], Scores]

# The interface of a folder without code.
LONE = "artifact"
# One that pandas reads, which starts its threads, and one that the short reader takes.
BODIES = (b"x\ntext\n", b"x\n1.5\n")


def warmed(predictor: Predictor) -> Predictor:
    """Return a predictor that has read tables and has called its model, but no code of the user's.

    Where it was seen to make no difference, small tables of numbers then reach the model without what pandas knows of
    them, and small bodies without becoming tables, if nobody else looks at these; large ones in pieces.
    """
    for body in BODIES:
        tables.read(Payload(body, tables.CSV))
    model = predictor.model
    bare = None if model.prove_bare is None else model.prove_bare()
    if bare is None:
        return predictor
    if bare.numbers is not None and model.score is not None:
        model = replace(model, score=partial(_score, bare.numbers, model.score))
        predictor = replace(predictor, model=model)
    is_alone = model.info.codedir.interface == LONE and model.check_in is None and not model.text_columns
    return replace(predictor, bare=bare) if is_alone and predictor.reporter is None else predictor


def _score(by_numbers: ScoreNumbers, by_table: Score, table: Any, context: Context) -> Scores:
    """Score a table by its numbers alone, or all of it where that takes it."""
    scores = by_numbers(table)
    return by_table(table, context) if scores is None else scores
