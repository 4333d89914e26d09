"""The one artifact of a folder, opened, and the framework that knows what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from custom_model_runner import border, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import ContractError, LoadError


@dataclass(frozen=True)
class Estimator:
    """A model object and the framework module that knows how to use it."""

    model: Any
    framework: str
    library: ModuleType

    def hint(self) -> Hint | None:
        """Return what the model reveals about its target."""
        hint: Hint | None = self.library.hint(self.model)
        return hint

    def check(self, target: Target) -> None:
        """Refuse, at load, a model that cannot give what the target needs."""
        self.library.check(self.model, target)

    def score(self, table: Any, target: Target) -> Scores:
        """Return what the model predicts for a table."""
        if not isinstance(table, pd.DataFrame):
            raise ContractError(
                f"The read_input_data hook returned {type(table).__name__}; without a score hook it must be a DataFrame"
            )
        failing = f"{type(self.model).__name__} failed. Exception:"
        scores: Scores = border.call(self.library.score, self.model, table, target, failing=failing)
        return scores


def load(codedir: CodeDir) -> Any:
    """Open the folder's artifact; none, several, or one that cannot be opened is a load error."""
    path = _only_artifact(codedir)
    loader = plugins.find(plugins.choose(plugins.LOADERS, path.suffix.lower(), what="artifact suffix"))
    failing = f"An error occurred when loading your artifact: {path.name}:"
    return border.call(_open, loader, path, failing=failing, as_error=LoadError)


def _open(loader: ModuleType, path: Path) -> Any:
    try:
        return loader.load(path)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = plugins.extra_for(package)
        # A name that is not known here may be the author's own module, and a stranger's on the index.
        hint = plugins.install_hint(package, extra) if extra else "install it, or put its file beside the artifact"
        raise LoadError(f"{path.name} needs the module {package!r}, which is not there: {hint}") from error


def _only_artifact(codedir: CodeDir) -> Path:
    if len(codedir.artifacts) == 1:
        return codedir.artifacts[0]
    if codedir.artifacts:
        names = ", ".join(file.name for file in codedir.artifacts)
        raise LoadError(f"Multiple serialized model files found: {names}; keep one, or choose in a load_model hook")
    suffixes = ", ".join(plugins.LOADERS)
    certain = {suffix for suffix, line in plugins.LOADERS.items() if not line.begins}
    deeper = sorted(file for file in codedir.path.rglob("*") if file.suffix.lower() in certain)
    if deeper:
        hint = f"{deeper[0].relative_to(codedir.path)} is in a subfolder: move it up, or open it in a load_model hook"
    elif (codedir.path / "train.py").is_file():
        hint = f"make it first: python {codedir.path / 'train.py'}"
    else:
        hint = "add one, or write a load_model hook"
    raise LoadError(f"Could not find a model artifact file ({suffixes}) in {codedir.path}; {hint}")


def recognise(model: object) -> Estimator | None:
    """Return the model with the framework that claims it by the packages its classes come from.

    A pipeline belongs to the framework of its last step.
    """
    for part in (last_step(model), model):
        packages = {cls.__module__.partition(".")[0] for cls in type(part).__mro__}
        for name, line in plugins.FRAMEWORKS.items():
            if packages & set(line.packages):
                return Estimator(model, name, plugins.find(line))
    return None


def last_step(model: object) -> object:
    """Return the last step of a pipeline, else the model itself."""
    steps = getattr(model, "steps", None)
    is_pipeline = isinstance(steps, list) and steps and isinstance(steps[-1], tuple) and len(steps[-1]) == 2
    return steps[-1][1] if steps and is_pipeline else model


def require(model: object) -> Estimator:
    """Return the model with its framework; a model that none claims is a load error."""
    estimator = recognise(model)
    if estimator is None:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        raise LoadError(
            "Could not find any framework to handle loaded model and a score hook is not provided: "
            f"found {kind}, expected a model of: {', '.join(plugins.FRAMEWORKS)}"
        )
    return estimator
