"""The tables of everything that can be chosen, and the one place that imports a choice.

Adding a language, framework, interface or format is one file and one line here.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from custom_model_runner.errors import LoadError

PACKAGE = "custom_model_runner"


@dataclass(frozen=True)
class Plugin:
    """One line of a table: where the choice lives, and the extra or the package it needs to be installed."""

    module: str
    extra: str | None = None
    package: str | None = None


@dataclass(frozen=True)
class Language(Plugin):
    """A language: the files that reveal it; an empty module means it is recognised but not served yet."""

    artifacts: tuple[str, ...] = ()
    user_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loader(Plugin):
    """How an artifact is opened; where others share its suffix, the bytes that such a file begins with.

    Opening it may run code that stands in it; where that depends on what it holds, `load_without_code` of the module
    opens what holds none and refuses the rest.
    """

    begins: tuple[bytes, ...] = ()
    runs_code: bool = False
    can_do_without: bool = False


@dataclass(frozen=True)
class Framework(Plugin):
    """A framework: the top-level packages whose classes it recognises, by an object's own MRO.

    It may compute with one of several packages, as a variable says; the extra brings the first. A model that survives a
    fork, loaded before and first called after, was tried: `tests/frameworks/test_sharing.py`.
    """

    packages: tuple[str, ...] = ()
    survives_fork: bool = False
    backends: tuple[str, ...] = ()
    backend_variable: str = ""


@dataclass(frozen=True)
class Format(Plugin):
    """A table format: the media types that are read and written, and the one that each file suffix stands for.

    `library` is the package whose version says what is understood; its module has `read` and, if anything is
    written, `write`.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    suffixes: Mapping[str, str] = field(default_factory=dict)
    library: str | None = None


# How the artifact of a suffix is opened. What the opened object is, FRAMEWORKS tells.
LOADERS: Mapping[str, Loader] = {
    ".pkl": Loader(f"{PACKAGE}.frameworks.pickled", runs_code=True),
    ".joblib": Loader(f"{PACKAGE}.frameworks.joblib", runs_code=True),
    ".skops": Loader(f"{PACKAGE}.frameworks.skops", "skops"),
    ".json": Loader(f"{PACKAGE}.frameworks.xgboost", "xgboost", begins=(b'{"learner"', b'{"version"')),
    ".ubj": Loader(f"{PACKAGE}.frameworks.xgboost", "xgboost"),
    ".txt": Loader(f"{PACKAGE}.frameworks.lightgbm", "lightgbm", begins=(b"tree\n", b"tree\r\n")),
    ".cbm": Loader(f"{PACKAGE}.frameworks.catboost", "catboost"),
    ".pth": Loader(f"{PACKAGE}.frameworks.torch", "torch", runs_code=True, can_do_without=True),
    ".pt2": Loader(f"{PACKAGE}.frameworks.torch", "torch", runs_code=True, can_do_without=True),
    ".h5": Loader(f"{PACKAGE}.frameworks.keras", "keras", runs_code=True, can_do_without=True),
    ".keras": Loader(f"{PACKAGE}.frameworks.keras", "keras"),
    ".onnx": Loader(f"{PACKAGE}.frameworks.onnx", "onnx"),
}

# The first that claims a class of the model, or of the last step of its pipeline, scores it.
FRAMEWORKS: Mapping[str, Framework] = {
    "xgboost": Framework(f"{PACKAGE}.frameworks.xgboost", "xgboost", packages=("xgboost",), survives_fork=True),
    "lightgbm": Framework(f"{PACKAGE}.frameworks.lightgbm", "lightgbm", packages=("lightgbm",), survives_fork=True),
    "catboost": Framework(f"{PACKAGE}.frameworks.catboost", "catboost", packages=("catboost",), survives_fork=True),
    "keras": Framework(
        f"{PACKAGE}.frameworks.keras",
        "keras",
        packages=("keras", "tensorflow"),
        backends=("torch", "jax", "tensorflow"),
        backend_variable="KERAS_BACKEND",
    ),
    "torch": Framework(f"{PACKAGE}.frameworks.torch", "torch", packages=("torch",)),
    "onnx": Framework(f"{PACKAGE}.frameworks.onnx", "onnx", packages=("onnxruntime",)),
    "scikit-learn": Framework(f"{PACKAGE}.frameworks.sklearn", packages=("sklearn",), survives_fork=True),
}

# What makes one table of another, of whatever library.
TRANSFORMER = Plugin(f"{PACKAGE}.frameworks.transformer")

# Sparse matrices; scipy takes longer to import than most models to score a row.
MATRICES = Plugin(f"{PACKAGE}.data.matrices")

LANGUAGES: Mapping[str, Language] = {
    "python": Language(f"{PACKAGE}.languages.python", artifacts=tuple(LOADERS), user_files=("custom.py",)),
    "r": Language("", artifacts=(".rds",), user_files=("custom.R", "custom.r")),
    "julia": Language("", artifacts=(".jlso",), user_files=("custom.jl",)),
    "java": Language("", artifacts=(".jar", ".zip", ".java", ".mojo")),
}

INTERFACES: Mapping[str, Plugin] = {
    "hooks": Plugin(f"{PACKAGE}.interfaces.hooks"),
    "artifact": Plugin(f"{PACKAGE}.interfaces.artifact"),
}

ARROW_STREAM = "application/vnd.apache.arrow.stream"
ARROW_FILE = "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"
NDJSON = "application/x-ndjson"

# Suffixes are in lower case and count in any case; the empty media type is that of a body without one.
FORMATS: Mapping[str, Format] = {
    "csv": Format(
        f"{PACKAGE}.data.csv_text",
        reads=("", "text/csv", "text/plain"),
        writes=("text/csv",),
        suffixes={".csv": "text/csv"},
    ),
    "json": Format(
        f"{PACKAGE}.data.json_table",
        reads=("application/json",),
        writes=("application/json",),
        suffixes={".json": "application/json"},
    ),
    "ndjson": Format(
        f"{PACKAGE}.data.ndjson",
        reads=(NDJSON, "application/ndjson", "application/jsonlines", "application/x-jsonlines"),
        writes=(NDJSON, "application/jsonlines"),
        suffixes={".ndjson": NDJSON, ".jsonl": NDJSON},
    ),
    "arrow": Format(
        f"{PACKAGE}.data.arrow",
        reads=(ARROW_STREAM, ARROW_FILE, "application/x-apache-arrow-stream"),
        writes=(ARROW_STREAM, ARROW_FILE, "application/x-apache-arrow-stream"),
        suffixes={".arrow": ARROW_FILE, ".feather": ARROW_FILE, ".ipc": ARROW_FILE, ".arrows": ARROW_STREAM},
        library="pyarrow",
    ),
    "parquet": Format(
        f"{PACKAGE}.data.parquet",
        reads=(PARQUET, "application/x-parquet"),
        writes=(PARQUET,),
        suffixes={".parquet": PARQUET, ".pq": PARQUET},
        library="pyarrow",
    ),
    "mtx": Format(f"{PACKAGE}.data.matrix_market", reads=("text/mtx",), suffixes={".mtx": "text/mtx"}),
}

# Where MLOps reports go, by `spooler_type`; the last line serves every other type.
DESTINATIONS: Mapping[str, Plugin] = {
    "filesystem": Plugin(f"{PACKAGE}.monitoring.spool"),
    "stdout": Plugin(f"{PACKAGE}.monitoring.standard_output"),
    "datarobot": Plugin(f"{PACKAGE}.monitoring.datarobot", package="datarobot-mlops"),
}

# Where files of a folder may be fetched from, by the type of the credential.
STORAGES: Mapping[str, Plugin] = {
    "s3": Plugin(f"{PACKAGE}.delivery.s3", "s3"),
}

# Where the input and the output of a batch may be, by the scheme of an address.
STORES: Mapping[str, Plugin] = {
    "s3": Plugin(f"{PACKAGE}.batch.stores.s3", "cloud"),
    **dict.fromkeys(("gs", "gcs"), Plugin(f"{PACKAGE}.batch.stores.gs", "cloud")),
    **dict.fromkeys(("abfs", "abfss", "az"), Plugin(f"{PACKAGE}.batch.stores.abfs", "cloud")),
    **dict.fromkeys(("https", "http"), Plugin(f"{PACKAGE}.batch.stores.web", "cloud")),
}

TEMPLATES: Mapping[str, Plugin] = {
    "python": Plugin(f"{PACKAGE}.templates.python_model"),
}

# Entry points of the package that are imported when they are first called.
ENTRIES: Mapping[str, Plugin] = {
    "predictor": Plugin(f"{PACKAGE}.predictor"),
    "inline": Plugin(f"{PACKAGE}.inline"),
    "delivery": Plugin(f"{PACKAGE}.delivery.delivered"),
    "fetching": Plugin(f"{PACKAGE}.delivery.fetching"),
    "exposition": Plugin(f"{PACKAGE}.monitoring.exposition"),
    "scratch": Plugin(f"{PACKAGE}.scratch"),
    "tracing": Plugin(f"{PACKAGE}.monitoring.tracing", "otel"),
    "serving": Plugin(f"{PACKAGE}.server.serving"),
}

Line = TypeVar("Line", bound=Plugin)


def choose(table: Mapping[str, Line], name: str, *, what: str) -> Line:
    """Return the line of a name; an unknown name, or one not served yet, lists the known."""
    line = table.get(name)
    if line is None or not line.module:
        known = ", ".join(key for key, value in table.items() if value.module)
        raise LoadError(f"The {what} {name!r} is not available in this version; available: {known}")
    return line


def find(line: Plugin) -> Any:
    """Import the module of a line; a missing dependency names what to install, a missing plug-in is a bug."""
    try:
        return importlib.import_module(line.module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing == line.module or missing.startswith(f"{PACKAGE}."):
            raise
        hint = install_hint(line.package or missing, line.extra)
        raise LoadError(f"The package {missing!r} is needed and not installed; install it with: {hint}") from error


def extra_for(package: str) -> str | None:
    """Return the extra that installs a framework's package."""
    lines = (line for line in FRAMEWORKS.values() if package in line.packages)
    # A backend that the extra does not bring is none of its packages.
    return next((line.extra for line in lines if package not in line.backends), None)


def missing_backend(package: str, missing: str) -> str | None:
    """Say what to do where a framework's package computes with one that is not installed; else return None."""
    lines = (line for line in FRAMEWORKS.values() if package in line.packages and missing in line.backends)
    line = next(lines, None)
    if line is None:
        return None
    there = [name for name in line.backends if importlib.util.find_spec(name)]
    remedy = f"set the variable {line.backend_variable}={(there or line.backends)[0]}"
    if not there:
        remedy = f"{install_hint(package, line.extra)}, and {remedy}"
    return f"{package.capitalize()} is set to the backend {missing!r}, which is not installed: {remedy}"


def install_hint(package: str, extra: str | None) -> str:
    """Return what to type to get a package."""
    return f'pip install "custom-model-runner[{extra}]"' if extra else f"pip install {package}"
