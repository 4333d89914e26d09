"""Score and serve the model in a folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
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
__all__ = [
    "CustomHTTPError",
    "Payload",
    "RuntimeParameters",
    "UserSecrets",
    "__version__",
    "drum_inline_predictor",
    "load",
]


def load(code_dir: str | Path, **options: Any) -> Predictor:
    """Open a code directory in this process; options are the fields of `ModelSettings`, such as `target_type`."""
    predictor: Predictor = plugins.find(plugins.ENTRIES["predictor"]).load(code_dir, **options)
    return predictor


def drum_inline_predictor(
    target_type: str, custom_model_dir: str | Path, target_name: str, *cmd_args: str
) -> AbstractContextManager[Predictor]:
    """Open a code directory in this process as `drum server` would with these options, for the length of a `with`."""
    inline = plugins.find(plugins.ENTRIES["inline"])
    opened: AbstractContextManager[Predictor] = inline.drum_inline_predictor(
        target_type, custom_model_dir, target_name, *cmd_args
    )
    return opened
