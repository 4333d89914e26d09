"""A folder with one artifact and no code: its framework scores."""

from __future__ import annotations

from custom_model_runner import estimator
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, settle
from custom_model_runner.errors import LoadError
from custom_model_runner.model import Model, ModelInfo, traits_of
from custom_model_runner.target_type import TargetType


def load(codedir: CodeDir, declared: Declared) -> Model:
    """Open the artifact and let its framework score."""
    if declared.type is TargetType.UNSTRUCTURED:
        raise LoadError(f"An unstructured model needs a score_unstructured hook; {codedir.path} has no user file")
    known = estimator.require(estimator.load(codedir))
    target, notice = settle(declared, known.hint())
    known.check(target)
    return Model(
        info=ModelInfo(target, codedir, known.framework, notice),
        score=lambda table, context: known.score(table, target),
        traits=traits_of(codedir.metadata, runs_user_code=False),
    )
