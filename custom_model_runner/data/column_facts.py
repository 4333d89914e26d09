"""What the parts of a column hold, and which type `pandas.read_csv` gives to the whole of it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from enum import IntFlag
from typing import Any

import numpy as np
import pandas as pd
from pandas._libs.parsers import STR_NA_VALUES  # type: ignore[import-not-found]
from pandas.api.types import infer_dtype

from custom_model_runner.errors import InputError

# What each column holds, by name.
Facts = Mapping[str, int]
# Not more digits than `int` takes quickly.
INTEGER = re.compile(r"[ \t]*[+-]?[0-9]{1,40}[ \t]*")
LARGE_INTEGER = re.compile(r"[ \t]*[+-]?[0-9]{19,}[ \t]*")
LEAST, MOST = -(1 << 63), (1 << 63) - 1


class Holds(IntFlag):
    """What stands in a column: unsigned integers are those beyond 63 bits, huge ones those beyond 64."""

    MISSING = 1
    TRUTH = 2
    WHOLE = 4
    NEGATIVE = 8
    UNSIGNED = 16
    FRACTION = 32
    HUGE = 64
    TEXT = 128


WORDS = {
    Holds.MISSING: "a missing value",
    Holds.TRUTH: "a truth value",
    Holds.WHOLE: "an integer",
    Holds.NEGATIVE: "a negative number",
    Holds.UNSIGNED: "an integer beyond 63 bits",
    Holds.FRACTION: "a number with a fraction",
    Holds.HUGE: "an integer beyond 64 bits",
    Holds.TEXT: "text",
}
LARGE = Holds.UNSIGNED | Holds.HUGE
# What integers of any size change nothing in.
SETTLED = Holds.TEXT | Holds.FRACTION | Holds.TRUTH
# Of integers beside gaps pandas makes floats, by which a zero loses its sign.
INTEGERS = "integers"
NUMBER = Holds.WHOLE | Holds.UNSIGNED | Holds.FRACTION | Holds.HUGE


def of_table(table: pd.DataFrame) -> Facts:
    """Return what each column of a table holds whose types pandas has inferred from CSV."""
    return {str(name): _of(column) for name, column in table.items()}


def merged(one: Facts, other: Facts) -> Facts:
    """Return what columns hold whose parts hold this; a name that one part lacks is missing there."""
    names = dict.fromkeys([*one, *other])
    return {name: one.get(name, Holds.MISSING) | other.get(name, Holds.MISSING) for name in names}


def following(one: Facts, other: Facts) -> Facts:
    """Return what columns of CSV hold that hold this and then that.

    Behind anything but integers, large ones are like others: pandas has given up to read integers by then.
    """
    late = {
        name: held & ~LARGE | Holds.WHOLE if held & LARGE and one.get(name, 0) & SETTLED else held
        for name, held in other.items()
    }
    return merged(one, late)


def of_texts(texts: Iterable[object]) -> int:
    """Return what the fields of a column hold; what is no text is missing."""
    # The second field has no line be blank.
    lines = "".join(f"{_quoted(text)},\n" if isinstance(text, str) else ",\n" for text in texts)
    table = pd.read_csv(io.StringIO(f"value,\n{lines}"), usecols=["value"], low_memory=False)
    return _of(table["value"])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _of(column: pd.Series[Any]) -> int:
    kind = column.dtype.kind
    if kind == "b":
        return Holds.TRUTH
    if kind == "i":
        return Holds.WHOLE | (Holds.NEGATIVE if (column < 0).any() else 0)
    if kind == "u":
        return Holds.UNSIGNED
    gaps = column.isna().to_numpy()
    missing = Holds.MISSING if gaps.any() else 0
    if gaps.all():
        return missing
    if kind == "f":
        return missing | _of_floats(column.to_numpy()[~gaps], bool(missing))
    return missing | _of_objects(column[~gaps])


def _of_floats(values: np.ndarray[Any, Any], has_gaps: bool) -> int:
    """Tell integers beside gaps, which pandas makes floats, from others, as far as values do."""
    is_whole = has_gaps and not has_signed_zero(values) and bool((values == np.floor(values)).all())
    return Holds.WHOLE if is_whole else Holds.FRACTION


def has_signed_zero(values: np.ndarray[Any, Any]) -> bool:
    """Say whether floats have a zero with a sign, which integers have not."""
    return bool(np.signbit(values[values == 0]).any())


def _of_objects(column: pd.Series[Any]) -> int:
    kind = infer_dtype(column)
    if kind == "boolean":
        return Holds.TRUTH
    if kind != "string":
        # Newer versions of pandas keep integers of any size.
        return Holds.HUGE
    first = next((text for text in column if not _is_small_or_gap(text)), "")
    if LARGE_INTEGER.fullmatch(first):
        return Holds.HUGE
    return Holds.TEXT


def _is_small_or_gap(text: str) -> bool:
    """Say whether text is an integer of 64 bits; behind a large one, pandas takes words of missing values for text."""
    is_integer = INTEGER.fullmatch(text) is not None
    return text in STR_NA_VALUES or (is_integer and LEAST <= int(text) <= MOST)


def type_of(facts: int) -> str | None:
    """Return the type of a column that holds this, None where it takes more than that to tell.

    Large integers are only told where there is nothing else: beside gaps, signs or fractions it depends on what comes
    first, and on the version of pandas.
    """
    if facts & LARGE:
        return "uint64" if not facts & ~(Holds.UNSIGNED | Holds.WHOLE) else None
    if facts & Holds.TEXT:
        return "str"
    if facts & Holds.TRUTH:
        return "str" if facts & NUMBER else "object" if facts & Holds.MISSING else "bool"
    if not facts & Holds.WHOLE or facts & Holds.FRACTION:
        return "float64"
    return INTEGERS if facts & Holds.MISSING else "int64"


def is_settled(facts: int) -> bool:
    """Say whether what follows a column that holds this keeps its type, or cannot be read with it."""
    return bool(facts) and not facts & LARGE and not (facts & Holds.MISSING and not facts & SETTLED)


def contradiction(format_name: str, line: int, what: str) -> InputError:
    """Return the failure of a pipe that holds in some line what its beginning has not."""
    return InputError(
        f"The {format_name} input contradicts its beginning: line {line}, {what}; "
        "--whole-file chooses types when all is read"
    )
