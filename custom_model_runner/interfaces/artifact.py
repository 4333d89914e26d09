"""A folder with one artifact and no code: its framework scores."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from custom_model_runner import estimator, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, Target, settle
from custom_model_runner.errors import LoadError
from custom_model_runner.estimator import Estimator
from custom_model_runner.model import Model, ModelInfo, traits_of
from custom_model_runner.target_type import TargetType


def load(codedir: CodeDir, declared: Declared) -> Model:
    """Open the artifact and let its framework score."""
    if declared.type is TargetType.UNSTRUCTURED:
        raise LoadError(f"An unstructured model needs a score_unstructured hook; {codedir.path} has no user file")
    language = plugins.find(plugins.choose(plugins.LANGUAGES, codedir.language, what="language"))
    with ExitStack() as stack:
        # A pickle may need modules that stand beside it.
        stack.callback(language.load(codedir, ()).close)
        known = estimator.require(estimator.load(codedir))
        target, notice = settle(declared, known.hint())
        known.check(target)
        return _model(codedir, known, target, notice, close=stack.pop_all().close)


def _model(
    codedir: CodeDir, known: Estimator, target: Target, notice: str | None, *, close: Callable[[], None]
) -> Model:
    return Model(
        info=ModelInfo(target, codedir, known.framework, notice),
        score=lambda table, context: known.score(table, target),
        traits=traits_of(codedir.metadata, runs_user_code=False),
        close=close,
    )
