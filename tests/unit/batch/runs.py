"""A batch that is handed over as a whole."""

from __future__ import annotations

from custom_model_runner.batch import local, plan
from custom_model_runner.predictor import Predictor
from custom_model_runner.settings import ScoreSettings


def whole(predictor: Predictor, settings: ScoreSettings, *, for_terminal: bool = False) -> bytes:
    """Return the output of a batch that settings describe."""
    batch = plan.settle(settings, settings.output)
    local.check(predictor.info, settings, batch)
    return local.run(predictor, settings, batch, for_terminal=for_terminal)
