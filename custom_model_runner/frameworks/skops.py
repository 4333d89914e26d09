"""skops files: scikit-learn models without pickle. Opening one runs no code but that of types known to be harmless."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from skops import io

from custom_model_runner.errors import LoadError
from custom_model_runner.frameworks import fitted

# The dtype of an empty array that skops reads without pickle: ordinary pipelines hold one, and it runs nothing.
HARMLESS = ["numpy.dtype"]


def load(path: Path) -> Any:
    """Open a skops file; types that skops does not trust by itself are refused and named."""
    try:
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(HARMLESS))
    except (BadZipFile, KeyError, ValueError) as error:
        raise LoadError(f"{path.name} is no skops file: it is damaged, or written by something else") from error
    if unknown:
        raise LoadError(
            f"{path.name} holds types that skops does not trust: {fitted.some(unknown)}; "
            "if you do, open it in a load_model hook with skops.io.load(path, trusted=[...])"
        )
    return io.load(path, trusted=HARMLESS)
