"""What the stack of a pickle holds while it is read: values known as far as they can lead to a name."""

from __future__ import annotations

import _compat_pickle
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Global:
    """A name that is imported from a module, as the pickle spells both."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Plain:
    """A value of which only the kind is known."""

    kind: str


@dataclass
class Made:
    """What a call of something would return: an object of a class, or the result of a function."""

    maker: Any
    arguments: tuple[Any, ...] = ()
    state: Any = None


UNKNOWN = Plain("any")
MARK = Plain("mark")
PROTOCOL_OF_PYTHON_3 = 3
# Enough for the steps of a pipeline and the state of an estimator.
MOST_KEPT = 256

# Functions that return an object of the class that is their first argument.
MAKERS = frozenset({"_reconstructor", "__newobj__", "__newobj_ex__", "_reconstruct"})
# And one that returns an object of a class that it does not get.
RESULTS = {"_frombuffer": Global("numpy", "ndarray")}


def called(function: Any, arguments: Any) -> Any:
    """Return what a call would return."""
    if not isinstance(function, Global):
        return UNKNOWN
    known = arguments if isinstance(arguments, tuple) else ()
    if function.name in MAKERS and known and isinstance(known[0], Global):
        return Made(known[0], known[1:])
    return Made(RESULTS.get(function.name, function), known)


def kept(items: list[Any]) -> Any:
    """Return a tuple, with its items unless they are many."""
    return tuple(items) if len(items) <= MOST_KEPT else Plain("tuple")


def as_imported(found: Global, protocol: int) -> Global:
    """Return what Python 3 imports for a name: pickles of Python 2 have older ones."""
    if protocol >= PROTOCOL_OF_PYTHON_3:
        return found
    names = _compat_pickle.NAME_MAPPING.get((found.module, found.name))
    if names:
        return Global(*names)
    return Global(_compat_pickle.IMPORT_MAPPING.get(found.module, found.module), found.name)
