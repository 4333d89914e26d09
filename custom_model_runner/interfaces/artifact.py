"""A folder with one artifact and no code: its framework scores."""

from __future__ import annotations

from custom_model_runner import border, estimator
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, settle
from custom_model_runner.errors import LoadError
from custom_model_runner.model import Model, ModelInfo, Traits
from custom_model_runner.target_type import TargetType


def load(codedir: CodeDir, declared: Declared) -> Model:
    """Open the artifact and let its framework score."""
    if declared.type is TargetType.UNSTRUCTURED:
        raise LoadError(f"An unstructured model needs a score_unstructured hook; {codedir.path} has no user file")
    loaded = estimator.load(codedir)
    framework = estimator.framework_of(loaded)
    library = estimator.find_framework(loaded, framework)
    target, notice = settle(declared, library.hint(loaded))
    library.check(loaded, target)
    metadata = codedir.metadata
    return Model(
        info=ModelInfo(target, codedir.path, codedir.language, codedir.interface, framework, metadata.raw, notice),
        score=lambda table, context: border.call(
            library.score, loaded, table, target, failing=f"{type(loaded).__name__} failed. Exception:"
        ),
        traits=Traits(
            is_thread_safe=metadata.is_thread_safe is not False,
            is_fork_safe=metadata.is_fork_safe is not False,
        ),
    )
