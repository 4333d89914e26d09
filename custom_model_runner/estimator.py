"""The one artifact of a folder, opened, and the framework that knows what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from custom_model_runner import border, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.errors import LoadError


def load(codedir: CodeDir) -> Any:
    """Open the folder's artifact; none, several, or one that cannot be opened is a load error."""
    path = _only_artifact(codedir)
    loader = plugins.find(plugins.choose(plugins.LOADERS, path.suffix.lower(), what="artifact suffix"))
    failing = f"An error occurred when loading your artifact: {path.name}:"
    return border.call(loader.load, path, failing=failing, as_error=LoadError)


def _only_artifact(codedir: CodeDir) -> Path:
    if len(codedir.artifacts) == 1:
        return codedir.artifacts[0]
    if codedir.artifacts:
        names = ", ".join(file.name for file in codedir.artifacts)
        raise LoadError(f"Multiple serialized model files found: {names}; keep one, or choose in a load_model hook")
    suffixes = ", ".join(plugins.LOADERS)
    deeper = sorted(file for file in codedir.path.rglob("*") if file.suffix.lower() in plugins.LOADERS)
    if deeper:
        hint = f"{deeper[0].relative_to(codedir.path)} is in a subfolder: move it up, or open it in a load_model hook"
    elif (codedir.path / "train.py").is_file():
        hint = f"make it first: python {codedir.path / 'train.py'}"
    else:
        hint = "add one, or write a load_model hook"
    raise LoadError(f"Could not find a model artifact file ({suffixes}) in {codedir.path}; {hint}")


def framework_of(model: object) -> str | None:
    """Return the name of the framework that claims the model by the packages its classes come from."""
    for package in (cls.__module__.partition(".")[0] for cls in type(model).__mro__):
        for name, line in plugins.FRAMEWORKS.items():
            if package in line.packages:
                return name
    return None


def find_framework(model: object, name: str | None) -> Any:
    """Import the framework that scores a model; a model that none claims is a load error."""
    if name is None:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        raise LoadError(
            "Could not find any framework to handle loaded model and a score hook is not provided: "
            f"found {kind}, expected a model of: {', '.join(plugins.FRAMEWORKS)}"
        )
    return plugins.find(plugins.FRAMEWORKS[name])
