"""What is done before the first request and after the last fork, so that the first is not slower than others."""

from __future__ import annotations

from dataclasses import replace

from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.predictor import Predictor

# The interface of a folder without code.
LONE = "artifact"
# One that pandas reads, which starts its threads, and one that the short reader takes.
BODIES = (b"x\ntext\n", b"x\n1.5\n")


def warmed(predictor: Predictor) -> Predictor:
    """Return a predictor that has read tables and has called its model, but no code of the user's.

    Small bodies of numbers then reach the model without a table, if nobody else looks at it and it was seen to make no
    difference.
    """
    for body in BODIES:
        tables.read(Payload(body, tables.CSV))
    model = predictor.model
    bare = None if model.prove_bare is None else model.prove_bare()
    is_alone = model.info.codedir.interface == LONE and model.check_in is None and not model.text_columns
    return replace(predictor, bare=bare) if is_alone and predictor.reporter is None else predictor
