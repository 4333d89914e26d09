"""What is done before the first request and after the last fork, so that the first is not slower than others."""

from __future__ import annotations

from dataclasses import replace

from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.predictor import Predictor


def warmed(predictor: Predictor) -> Predictor:
    """Return a predictor that has read a table and, where no code of the user's runs, has called its model.

    Small bodies of numbers then reach the model without a table, where nobody else looks at it and it was seen to make
    no difference.
    """
    # Not what the short reader takes: what reads tables is imported, and its threads are started.
    tables.read(Payload(b"x\ntext\n", "text/csv"))
    model = predictor.model
    is_seen = predictor.reporter is not None or model.check_in is not None or bool(model.text_columns)
    if model.prove_bare is None or is_seen:
        return predictor
    return replace(predictor, bare=model.prove_bare())
