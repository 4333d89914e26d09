"""A folder with one artifact and no code: its framework scores."""

from __future__ import annotations

from contextlib import ExitStack

from custom_model_runner import estimator, garbage, opening, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, settle
from custom_model_runner.errors import LoadError
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
        with garbage.unsearched():
            opened = opening.load(codedir)
        is_transform = declared.type is TargetType.TRANSFORM
        target, notice = settle(declared, None if is_transform else estimator.require(opened.model).hint())
        framework, abilities = estimator.abilities(opened.model, target)
        return Model(
            info=ModelInfo(target, codedir, framework, notice, opened.notice),
            **abilities,
            traits=traits_of(codedir.metadata, runs_user_code=False),
            close=stack.pop_all().close,
        )
