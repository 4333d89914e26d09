"""The one artifact of a folder, opened, and why it cannot be."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_model_runner import border, plugins
from custom_model_runner.artifacts import failures, making, versions
from custom_model_runner.codedir import CodeDir
from custom_model_runner.errors import LoadError
from custom_model_runner.plugins import Loader

FAILED = "An error occurred when loading your artifact:"


@dataclass(frozen=True)
class Opened:
    """A model, and what a person should know of it: that it was made with another version."""

    model: Any
    notice: str | None = None


class _Failed(LoadError):
    """What a library raised; what the runner's own modules say about a file is said already."""


def load(codedir: CodeDir, *, otherwise: str = "") -> Opened:
    """Open the folder's artifact; none, several, or one that cannot or must not be opened is a load error.

    `otherwise` is what else a folder without one may do.
    """
    path = only_artifact(codedir, otherwise=otherwise)
    check_allowed(codedir, path)
    line = _loader(path)
    module = plugins.find(line)
    opener = module.load_without_code if codedir.refuses_code and line.runs_code else module.load
    try:
        with _warnings_of_versions() as texts:
            model = border.call(opener, path, failing=path.name, as_error=_Failed)
    except _Failed as failure:
        cause = failure.__cause__ or failure
        raise LoadError(f"{FAILED} {failures.explain(path, codedir.path, cause)}") from cause
    except LoadError as refusal:
        raise LoadError(f"{FAILED} {failures.complete(path, str(refusal))}") from refusal
    return Opened(model, _notice(path, texts) if texts else None)


def _loader(path: Path) -> Loader:
    return plugins.choose(plugins.LOADERS, path.suffix.lower(), what="artifact suffix")


def check_allowed(codedir: CodeDir, path: Path) -> None:
    """Refuse an artifact that always runs code by being opened, where the operator does not want that."""
    line = _loader(path)
    if codedir.refuses_code and line.runs_code and not line.can_do_without:
        raise LoadError(
            f"--no-pickle refuses {path.name}: opening a {path.suffix.lower()} file can run code that is in it; save "
            f"the model in a form that cannot: {', '.join(codeless())}"
        )


def codeless() -> list[str]:
    """Return the suffixes whose files, or some of them, hold no code that runs when they are opened."""
    return [suffix for suffix, line in plugins.LOADERS.items() if not line.runs_code or line.can_do_without]


@contextmanager
def _warnings_of_versions() -> Iterator[list[str]]:
    """Collect what libraries warn of models of other versions; every other warning is shown as ever."""
    known = (versions.SKLEARN_WARNING, versions.XGBOOST_WARNING)
    texts: list[str] = []
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            for pattern in known:
                warnings.filterwarnings("always", message=pattern)
            yield texts
    finally:
        for each in caught:
            text = str(each.message)
            if any(re.match(pattern, text) for pattern in known):
                texts.append(text)
            else:
                warnings.showwarning(each.message, each.category, each.filename, each.lineno)


def _notice(path: Path, texts: list[str]) -> str | None:
    """Say in one line with which versions a model was made that is opened with others."""
    made_with = set(versions.of_warnings(texts))
    if any(re.match(versions.XGBOOST_WARNING, text) for text in texts):
        made_with |= making.made_with(path)
    differing = versions.mismatches(made_with)
    if not differing:
        return None
    return f"{path.name} {versions.describe(differing)}: its predictions may differ; {versions.remedy(differing)}"


def only_artifact(codedir: CodeDir, *, otherwise: str = "") -> Path:
    """Return the artifact to open; none or several are a load error."""
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
    raise LoadError(f"Could not find a model artifact file ({suffixes}) in {codedir.path}; {hint}{otherwise}")
