"""The module name `datarobot_drum`, for user code written for the original.

It stands in only where the real package is not installed: its finder is the last one asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from custom_model_runner import errors, parameters, target_type

NAME = "datarobot_drum"
PUBLIC = {
    "BaseCustomUserError": errors.BaseCustomUserError,
    "CustomHTTPError": errors.CustomHTTPError,
    "RuntimeParameters": parameters.RuntimeParameters,
    "TargetType": target_type.TargetType,
}


class _Alias(MetaPathFinder, Loader):
    """Finds and fills the alias module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the alias's own name only."""
        return ModuleSpec(NAME, self) if fullname == NAME else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module the public names."""
        vars(module).update(PUBLIC, __all__=sorted(PUBLIC))


def install() -> Callable[[], None]:
    """Make the name importable and return the function that ends it, once user code can no longer run."""
    finder = _Alias()
    sys.meta_path.append(finder)

    def remove() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        is_ours = getattr(sys.modules.get(NAME), "RuntimeParameters", None) is parameters.RuntimeParameters
        if is_ours and not any(isinstance(other, _Alias) for other in sys.meta_path):
            del sys.modules[NAME]

    return remove
