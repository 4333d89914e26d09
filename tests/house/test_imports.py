"""Imports stand at the top, and each foreign library has one place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .tree import NAME, PACKAGE, Import, Module, dotted, expect_none, imports, modules, plant

# The two tables of import strings; whatever is chosen while the program runs is imported there.
LAZY = frozenset({"cli.py", "plugins.py"})
DYNAMIC = frozenset({"import_module", "importlib.import_module", "__import__"})

# Distributions that every installation has and every layer may use, by import name.
CORE = frozenset({"numpy", "pandas", "pyarrow", "scipy", "yaml", "orjson", "psutil"})
SERVING = frozenset({"flask", "werkzeug", "gunicorn"})

# A framework file is called after the library it imports; these libraries come with another's file.
COMPANIONS: dict[str, str] = {"onnxruntime": "onnx", "h5py": "keras"}

# What is no framework, and where it may be imported.
OTHERS: dict[str, str] = {
    "datarobot": "monitoring/datarobot.py",
    "prometheus_client": "monitoring/",
    "opentelemetry": "monitoring/tracing.py",
    "botocore": "delivery/s3.py",
    **dict.fromkeys(("adlfs", "azure", "fsspec", "gcsfs", "google"), "batch/stores/"),
    **dict.fromkeys(("aiohttp", "s3fs"), "delivery/s3.py and batch/stores/"),
}


def inside_functions(module: Module) -> Iterator[ast.AST]:
    """Walk what is written inside the functions of a module."""
    seen: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for inner in ast.walk(node):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    yield inner


def late_import_complaints(package: Path) -> list[str]:
    """Name every import inside a function and every import by string outside the two tables."""
    complaints = []
    for module in modules(package):
        if module.path in LAZY:
            continue
        late = {found.line: found.name for found in imports(module, inside_functions(module))}
        complaints += [f"{module.path}:{line}: imports {late[line]} inside a function" for line in late]
        complaints += [
            f"{module.path}:{node.lineno}: imports by string, which plugins.find is for"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and dotted(node.func) in DYNAMIC
        ]
    return complaints


def home_of(library: str) -> str:
    """Return where a library may be imported, in the words of a complaint."""
    if library in SERVING:
        return "server/"
    return OTHERS.get(library, f"frameworks/{COMPANIONS.get(library, library)}.py")


def is_at_home(module: Module, imported: Import) -> bool:
    """Say whether a module may import this name."""
    library = imported.top
    if library == NAME or library in CORE or library in sys.stdlib_module_names:
        return True
    return module.path.startswith(tuple(home_of(library).split(" and ")))


def library_complaints(package: Path) -> list[str]:
    """Name every import of a foreign library outside the place that the library has."""
    return [
        f"{module.path}:{imported.line}: imports {imported.top}, which only {home_of(imported.top)} may"
        for module in modules(package)
        for imported in imports(module)
        if not is_at_home(module, imported)
    ]


def test_every_import_of_the_real_tree_stands_at_the_top() -> None:
    expect_none(late_import_complaints(PACKAGE))


def test_every_foreign_library_of_the_real_tree_is_at_home() -> None:
    expect_none(library_complaints(PACKAGE))


@pytest.mark.parametrize(
    "text",
    [
        "def read():\n    import json",
        "def read():\n    if True:\n        from json import loads",
        "class Reader:\n    async def read(self):\n        from . import tables",
    ],
)
def test_an_import_inside_a_function_is_a_complaint(tmp_path: Path, text: str) -> None:
    [complaint] = late_import_complaints(plant(tmp_path, {"data/tables.py": text}))
    assert complaint.startswith("data/tables.py:")
    assert complaint.endswith(" inside a function")


def test_an_import_in_a_function_in_a_function_is_one_complaint(tmp_path: Path) -> None:
    text = "def outer():\n    def inner():\n        import json"
    package = plant(tmp_path, {"model.py": text})
    assert late_import_complaints(package) == ["model.py:3: imports json inside a function"]


@pytest.mark.parametrize("call", ["importlib.import_module('json')", "import_module('json')", "__import__('json')"])
def test_an_import_by_string_is_a_complaint(tmp_path: Path, call: str) -> None:
    package = plant(tmp_path, {"model.py": f"\nfound = {call}"})
    assert late_import_complaints(package) == ["model.py:2: imports by string, which plugins.find is for"]


def test_the_two_tables_import_what_is_chosen(tmp_path: Path) -> None:
    text = "def find(name):\n    import importlib\n    return importlib.import_module(name)"
    assert late_import_complaints(plant(tmp_path, {"plugins.py": text, "cli.py": text})) == []


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("batch/local.py", "import flask", "imports flask, which only server/ may"),
        ("model.py", "from werkzeug.wrappers import Request", "imports werkzeug, which only server/ may"),
        ("frameworks/gunicorn.py", "import gunicorn", "imports gunicorn, which only server/ may"),
        ("predictor.py", "import sklearn.base", "imports sklearn, which only frameworks/sklearn.py may"),
        ("frameworks/torch.py", "import xgboost", "imports xgboost, which only frameworks/xgboost.py may"),
        (
            "commands/score.py",
            "from joblib import load",
            "imports joblib, which only frameworks/joblib.py may",
        ),
        ("predictor.py", "import onnxruntime", "imports onnxruntime, which only frameworks/onnx.py may"),
        ("errors.py", "import requests", "imports requests, which only frameworks/requests.py may"),
    ],
)
def test_a_library_away_from_home_is_a_complaint(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    assert library_complaints(plant(tmp_path, {path: text})) == [f"{path}:1: {complaint}"]


def test_libraries_at_home_and_core_libraries_anywhere_are_fine(tmp_path: Path) -> None:
    files = {
        "data/tables.py": "import json\nimport pandas\nfrom . import payload",
        "frameworks/sklearn.py": "from sklearn.base import is_classifier",
        "frameworks/onnx.py": "from onnxruntime import InferenceSession",
        "server/routes/probes.py": "from flask import Blueprint",
    }
    assert library_complaints(plant(tmp_path, files)) == []
