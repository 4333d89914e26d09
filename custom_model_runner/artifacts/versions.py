"""Which versions of libraries a model was made with, and which are installed here."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# scikit-learn writes its version into the state of every estimator, under this key.
SKLEARN_KEY = "_sklearn_version"
SKLEARN_WARNING = r"Trying to unpickle estimator \S+ from version (\S+) when using version"
# A model of XGBoost ends with its version, in JSON or in UBJSON, and so does a pickled one.
XGBOOST_TEXT = re.compile(rb'"version":\[(\d+),(\d+),(\d+)\]\}\s*\Z')
XGBOOST_BINARY = re.compile(rb"\x07version\[#L\x00{7}\x03i(.)i(.)i(.)\}*\Z", re.DOTALL)
XGBOOST_WARNING = r"[\s\S]*(older version of XGBoost|saved before XGBoost)"

# Python 3.10 does not find what these packages are installed by, where its author leaves out a list that is optional.
NAMES = {"sklearn": ("scikit-learn",), "xgboost": ("xgboost", "xgboost-cpu")}
TITLES = {"sklearn": "scikit-learn", "xgboost": "XGBoost", "keras": "Keras"}


Distributions = Mapping[str, list[str]]


@dataclass(frozen=True)
class Version:
    """A package, by the name it is imported by, and its version."""

    package: str
    number: str

    def __str__(self) -> str:
        return f"{TITLES.get(self.package, self.package)} {self.number}"


@dataclass(frozen=True)
class Installed:
    """What is installed: the name to install it by, and its version."""

    distribution: str
    number: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.number}"


def of_xgboost(tail: bytes) -> Version | None:
    """Return the version of XGBoost whose model ends with these bytes."""
    if found := XGBOOST_TEXT.search(tail):
        return Version("xgboost", b".".join(found.groups()).decode())
    if found := XGBOOST_BINARY.search(tail):
        return Version("xgboost", ".".join(str(ord(part)) for part in found.groups()))
    return None


def of_keras(metadata: bytes) -> Version | None:
    """Return the version of Keras that the metadata of its archive names."""
    try:
        number = json.loads(metadata).get("keras_version")
    except (ValueError, AttributeError):
        return None
    return Version("keras", number) if isinstance(number, str) and number else None


def of_warnings(texts: Iterable[str]) -> frozenset[Version]:
    """Return the versions that scikit-learn names when it opens a model of another version."""
    found = (re.match(SKLEARN_WARNING, text) for text in texts)
    return frozenset(Version("sklearn", match[1]) for match in found if match)


def distributions() -> Distributions:
    """Return the names to install packages by, by the name they are imported by; this reads every installed one."""
    return importlib.metadata.packages_distributions()


def installed(packages: Iterable[str], known: Distributions | None = None) -> dict[str, Installed]:
    """Return what is installed of some packages, by the name they are imported by."""
    known = distributions() if known is None else known
    found = {package: _installed((*known.get(package, ()), *NAMES.get(package, ()), package)) for package in packages}
    return {package: here for package, here in found.items() if here}


def _installed(names: Iterable[str]) -> Installed | None:
    """Return the first of some distributions that is installed; of several, one that no other has overwritten."""
    found = []
    for name in dict.fromkeys(names):
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(Installed(name, importlib.metadata.version(name)))
    whole = (one for one in found if _is_whole(one.distribution)) if len(found) > 1 else ()
    return next(iter(whole), found[0] if found else None)


def _is_whole(distribution: str) -> bool:
    """Say whether the files of a distribution have the sizes that it brought them with."""
    files = importlib.metadata.files(distribution) or ()
    paths = ((Path(str(file.locate())), file.size) for file in files if file.size is not None)
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def mismatches(made_with: Iterable[Version]) -> dict[Version, Installed | None]:
    """Return the versions that differ from what is installed, with what is; None where nothing is."""
    versions = sorted(made_with, key=str)
    here = installed({version.package for version in versions}) if versions else {}
    return {
        version: here.get(version.package)
        for version in versions
        if version.package not in here or here[version.package].number.partition("+")[0] != version.number
    }


def describe(differing: dict[Version, Installed | None]) -> str:
    """Say what a model was made with and what is here instead."""
    made = " and ".join(str(version) for version in differing)
    here = " and ".join(str(one) for one in dict.fromkeys(differing.values()) if one)
    return f"was made with {made}, and {here or 'none'} is installed"


def remedy(differing: dict[Version, Installed | None]) -> str:
    """Say what to install, or what else to do."""
    wanted = {(one.distribution if one else version.package): version.number for version, one in differing.items()}
    install = " ".join(f'"{name}=={number}"' for name, number in wanted.items() if number[0].isdigit())
    return f"pip install {install}, or train it again" if install else "train it again"
