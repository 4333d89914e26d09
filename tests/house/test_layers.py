"""The layers: an arrow points down, never up, never sideways."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from .tree import NAME, PACKAGE, Import, Module, copy_of_the_real_tree, expect_none, imports, modules, plant

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"settings", "options", "parsers", "target_type", "plugins", "processes"})
    | frozenset({"parameters", "errors", "alias", "border", "garbage", "heap", "locks", "logs", "spelling"})
    | frozenset({"credentials", "scrubbing", "scratch", "user_secrets"})
    | frozenset({"addresses", "api_keys", "deployment_config"}),
    frozenset({"data"}),
    frozenset({"codedir", "endpoints", "model", "metadata", "schema", "estimator", "opening", "artifacts", "sharing"}),
    frozenset({"interfaces", "languages", "frameworks", "templates", "delivery"}),
    frozenset({"predictor", "conversation", "warming", "monitoring"}),
    frozenset({"server", "batch", "checks", "training", "anomaly", "registry"}),
    frozenset({"commands"}),
    frozenset({"cli"}),
    frozenset({"__init__", "__main__", "inline"}),
)

# Single files of one layer have an order among themselves; folders of one layer never know each other.
ORDER: frozenset[tuple[str, str]] = frozenset(
    {
        ("alias", "errors"),
        ("alias", "parameters"),
        ("alias", "target_type"),
        ("border", "errors"),
        ("deployment_config", "target_type"),
        ("logs", "errors"),
        ("parameters", "errors"),
        ("credentials", "spelling"),
        ("scratch", "errors"),
        ("scrubbing", "border"),
        ("scrubbing", "credentials"),
        ("scrubbing", "errors"),
        ("user_secrets", "credentials"),
        ("options", "errors"),
        ("options", "parameters"),
        ("options", "parsers"),
        ("parsers", "addresses"),
        ("plugins", "errors"),
        ("settings", "addresses"),
        ("settings", "api_keys"),
        ("settings", "deployment_config"),
        ("settings", "errors"),
        ("settings", "options"),
        ("settings", "parsers"),
        ("settings", "plugins"),
        ("settings", "target_type"),
        ("codedir", "metadata"),
        ("opening", "artifacts"),
        ("opening", "codedir"),
        ("endpoints", "model"),
        ("model", "codedir"),
        ("model", "metadata"),
        ("model", "schema"),
        ("schema", "metadata"),
        ("sharing", "codedir"),
        ("sharing", "model"),
        ("predictor", "conversation"),
        ("warming", "predictor"),
    }
)

# The version stands in `__init__.py` for the build; it is a constant and pulls nothing in.
VERSION = f"{NAME}.__version__"


def layer_of(unit: str) -> int | None:
    """Return the number of a unit's layer, counted from the ground."""
    return next((number for number, units in enumerate(LAYERS) if unit in units), None)


def target_of(imported: Import, units: frozenset[str]) -> str | None:
    """Return the unit that an import reaches, or None when it leaves the package alone."""
    if imported.top != NAME or imported.name == VERSION:
        return None
    parts = imported.name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in units else "__init__"


def arrows(every: Sequence[Module]) -> list[tuple[str, str, str]]:
    """Return each import inside the package: where it stands, the unit it leaves and the one it reaches."""
    units = frozenset(module.unit for module in every)
    found = {
        (f"{module.path}:{imported.line}", module.unit, target): None
        for module in every
        for imported in imports(module)
        if (target := target_of(imported, units)) not in (None, module.unit)
    }
    return [(place, source, target) for place, source, target in found if target]


def layer_complaints(package: Path) -> list[str]:
    """Name every module without a layer and every import that does not point down."""
    every = modules(package)
    complaints = [f"{module.path}: is in no layer" for module in every if layer_of(module.unit) is None]
    for place, source, target in arrows(every):
        here, there = layer_of(source), layer_of(target)
        if here is None or there is None or there < here or (source, target) in ORDER:
            continue
        direction = "sideways" if there == here else "up"
        complaints.append(
            f"{place}: the arrow from {source} (layer {here}) to {target} (layer {there}) points {direction}"
        )
    return complaints


def test_every_arrow_of_the_real_tree_points_down() -> None:
    expect_none(layer_complaints(PACKAGE))


def test_the_order_among_single_files_has_no_circle_and_stays_inside_a_layer() -> None:
    graph: dict[str, set[str]] = {}
    for source, target in ORDER:
        assert layer_of(source) == layer_of(target)
        graph.setdefault(source, set()).add(target)
    assert set(TopologicalSorter(graph).static_order()) == {unit for edge in ORDER for unit in edge}


def test_every_line_of_the_order_among_single_files_is_used() -> None:
    used = {(source, target) for _, source, target in arrows(modules(PACKAGE))}
    assert sorted(ORDER - used) == []


def test_a_fault_planted_in_a_copy_of_the_real_tree_is_the_one_new_complaint(tmp_path: Path) -> None:
    package = copy_of_the_real_tree(tmp_path)
    before = layer_complaints(package)
    with (package / "errors.py").open("a", encoding="utf-8") as errors:
        errors.write("import custom_model_runner.cli\n")
    [new] = [complaint for complaint in layer_complaints(package) if complaint not in before]
    assert new.startswith("errors.py:")
    assert new.endswith(": the arrow from errors (layer 0) to cli (layer 7) points up")


@pytest.mark.parametrize(
    "line",
    [
        "import custom_model_runner.server.app",
        "from custom_model_runner.server.app import build",
        "from custom_model_runner import server",
        "from ..server.app import build",
        "from .. import server",
        "if TYPE_CHECKING:\n    from custom_model_runner.server import app",
        "def late():\n    from ..server import app",
    ],
)
def test_an_arrow_up_is_seen_in_every_spelling(tmp_path: Path, line: str) -> None:
    package = plant(tmp_path, {"server/app.py": "", "data/tables.py": line})
    [complaint] = layer_complaints(package)
    assert complaint.startswith("data/tables.py:")
    assert complaint.endswith(": the arrow from data (layer 1) to server (layer 5) points up")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("interfaces/hooks.py", "languages"),
        ("interfaces/artifact.py", "frameworks"),
        ("server/app.py", "batch"),
        ("predictor.py", "monitoring"),
        ("errors.py", "settings"),
        ("metadata.py", "codedir"),
    ],
)
def test_siblings_do_not_know_each_other(tmp_path: Path, path: str, target: str) -> None:
    package = plant(tmp_path, {path: f"import {NAME}.{target}", f"{target}/__init__.py": ""})
    [complaint] = layer_complaints(package)
    assert complaint.startswith(f"{path}:1: the arrow from ")
    assert complaint.endswith(" points sideways")


def test_a_file_without_a_layer_is_a_complaint(tmp_path: Path) -> None:
    package = plant(tmp_path, {"drawer.py": "import json", "cli.py": f"import {NAME}.drawer"})
    assert layer_complaints(package) == ["drawer.py: is in no layer"]


def test_what_is_public_is_for_users_and_not_for_the_package_itself(tmp_path: Path) -> None:
    package = plant(tmp_path, {"__init__.py": "", "batch/local.py": "from custom_model_runner import load"})
    [complaint] = layer_complaints(package)
    assert complaint == "batch/local.py:1: the arrow from batch (layer 5) to __init__ (layer 8) points up"


def test_arrows_down_and_inside_a_folder_and_the_version_are_fine(tmp_path: Path) -> None:
    files = {
        "__init__.py": "if TYPE_CHECKING:\n    from .predictor import Predictor",
        "errors.py": "import json",
        "plugins.py": "from custom_model_runner.errors import LoadError",
        "predictor.py": "from .errors import LoadError",
        "server/bodies.py": "from ..predictor import Predictor",
        "server/app.py": f"import flask\nfrom {NAME} import __version__\nfrom .bodies import read",
    }
    assert layer_complaints(plant(tmp_path, files)) == []
