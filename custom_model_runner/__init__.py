"""Score and serve the model in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from custom_model_runner import plugins
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import CustomHTTPError
from custom_model_runner.parameters import RuntimeParameters
from custom_model_runner.user_secrets import UserSecrets

if TYPE_CHECKING:
    from custom_model_runner.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["CustomHTTPError", "Payload", "RuntimeParameters", "UserSecrets", "__version__", "load"]


def load(code_dir: str | Path, **options: Any) -> Predictor:
    """Open a code directory in this process; options are the fields of `ModelSettings`, such as `target_type`."""
    predictor: Predictor = plugins.find(plugins.ENTRIES["predictor"]).load(code_dir, **options)
    return predictor
