"""What is public: what `custom_model_runner` lists, and nothing heavy on the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import custom_model_runner

from .test_lazy_imports import imported_by, lazy_complaints
from .tree import NAME, REPOSITORY, expect_none, plant

# User code and other programs rely on these names; a change here is a change for them.
PUBLIC = (
    "CustomHTTPError",
    "Payload",
    "RuntimeParameters",
    "UserSecrets",
    "__version__",
    "drum_inline_predictor",
    "load",
)

PROBE = f"""
import sys, {NAME}
print("\\nIMPORTED", *(name for name in sys.modules if "." not in name))
"""


def name_complaints(listed: Sequence[str], documented: Sequence[str]) -> list[str]:
    """Name what is public in one place only."""
    return [
        *(f"{name} is documented and not in __all__" for name in documented if name not in listed),
        *(f"{name} is in __all__ and not documented" for name in listed if name not in documented),
    ]


def test_the_package_lists_the_documented_names() -> None:
    expect_none(name_complaints(custom_model_runner.__all__, PUBLIC))


def test_every_public_name_is_there() -> None:
    assert [name for name in PUBLIC if not hasattr(custom_model_runner, name)] == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    imported = imported_by(PROBE, [], REPOSITORY)
    assert NAME in imported
    expect_none(lazy_complaints(NAME, imported))


def test_a_name_in_one_place_only_is_a_complaint() -> None:
    assert name_complaints(["load", "open"], ["load", "close"]) == [
        "close is documented and not in __all__",
        "open is in __all__ and not documented",
    ]


def test_a_heavy_import_of_the_package_itself_is_a_complaint(tmp_path: Path) -> None:
    plant(tmp_path, {"__init__.py": "import pandas", "../pandas.py": ""})
    assert lazy_complaints(NAME, imported_by(PROBE, [], tmp_path)) == [f"{NAME} imports pandas"]
