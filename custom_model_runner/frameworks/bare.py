"""Rows of numbers for an estimator as an array, without a table: only where nothing can tell the difference."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from custom_model_runner import border
from custom_model_runner.data import csv_rows
from custom_model_runner.data.csv_pieces import INEXACT
from custom_model_runner.data.csv_rows import HEADERS_KEPT, Header, Rows
from custom_model_runner.data.predictions import Bare, ScoreRows, Scores
from custom_model_runner.errors import RunnerError

Array = np.ndarray[Any, Any]
ScoreTable = Callable[[pd.DataFrame], Scores]
ScoreArray = Callable[[Array], Scores]
ScoreExactly = Callable[[Array], "Scores | None"]

# Whose code looks at what it is given in ways that we know.
OWN = frozenset({"builtins", "numpy", "scipy", "sklearn", "xgboost", "lightgbm", "catboost"})
NAMES = "feature_names_in_"
# A table costs a millisecond; the predictions of slower models are not worth a proof.
WORTH_SECONDS = 0.02
CALLS_TO_MEASURE = 3
# What the look at a table takes is nothing beside what a larger one takes.
MOST_CELLS = 1 << 18
LAST_BITS = 1e-9
MANY = 50
NUMBERS = frozenset({np.dtype(np.float64), np.dtype(np.int64)})


def prove(
    by_table: ScoreTable,
    by_array: ScoreArray,
    *,
    names: Iterable[str] | None,
    width: int,
    written: Callable[[str], str] = str,
    is_as_proved: Callable[[], bool] | None = None,
) -> Bare | None:
    """Return what scores numbers as an array, if it was seen to fail or to give the bits and warnings of tables.

    The model is called. `names` are the columns of the fit as they are `written` by the library, None where only their
    number, `width`, is known. Tables of code that has the model in its hands are scored so only where `is_as_proved`
    can tell that it has not changed the model since.
    """
    known = None if names is None else list(names)
    exactly = partial(_exactly, by_array)
    score = _rows_scorer(exactly, known, _stand(known, width, written))
    header = _header(known or [str(place) for place in range(width)])
    if not _is_proved(by_table, score, header, has_names=bool(known)):
        return None
    numbers = None if is_as_proved is None else _table_scorer(exactly, known, width, is_as_proved)
    # Fractions, and these beside integers.
    many = [rows for rows in _tries(header) if len(rows) == MANY][::2]
    return Bare(score, numbers, is_by_row=all(_is_by_row(score, rows) for rows in many))


def _exactly(by_array: ScoreArray, array: Array) -> Scores | None:
    """Score an array, unless some of it may be integers of a table that became other numbers beside its floats."""
    is_rounded = array.dtype == np.float64 and bool((np.abs(array) >= INEXACT).any())
    return None if is_rounded else by_array(array)


def _rows_scorer(by_array: ScoreExactly, names: list[str] | None, stand: Callable[[Header], bool | None]) -> ScoreRows:
    def score(rows: Rows) -> Scores | None:
        is_in_order = stand(rows.header)
        if is_in_order is None:
            return None
        # Bits depend on how numbers lie in memory, so only pandas may move them.
        return by_array(rows.array() if is_in_order else rows.table()[names].to_numpy())

    return score


def _table_scorer(
    by_array: ScoreExactly, names: list[str] | None, width: int, is_as_proved: Callable[[], bool]
) -> Callable[[pd.DataFrame], Scores | None]:
    def score(table: pd.DataFrame) -> Scores | None:
        if not is_as_proved() or not _has_columns(table, names, width):
            return None
        array = _numbers(table)
        return None if array is None else by_array(array)

    return score


def _is_proved(by_table: ScoreTable, score: ScoreRows, header: Header, *, has_names: bool) -> bool:
    """Say whether a model is quick, and scores rows of all kinds alike, also with its columns in another order."""
    tries = list(_tries(header))
    if has_names:
        tries += list(_tries(_header(list(header.columns)[::-1])))[:4]
    works = _is_worth_it(by_table, tries[0]) and _outcome(score, tries[0]) is not None
    return works and all(_is_same(by_table, score, rows) for rows in tries)


def is_plain(value: Any) -> bool:
    """Say whether a model has no code of others in it, which might look at what it is given."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    module = getattr(value, "__module__", None) or type(value).__module__
    if module.partition(".")[0] not in OWN:
        return False
    return not _has_parts(value) or all(map(is_plain, vars(value).values()))


def nameless(value: Any) -> Any:
    """Return a model of scikit-learn, and those in it, without the names of columns; all else is shared with the first.

    One that knows names would warn of an array.
    """
    if isinstance(value, (list, tuple)):
        parts = [nameless(part) for part in value]
        return type(value)(parts) if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    if not _has_parts(value):
        return value
    facts = {name: nameless(fact) for name, fact in vars(value).items() if name != NAMES}
    if len(facts) == len(vars(value)) and all(fact is vars(value)[name] for name, fact in facts.items()):
        return value
    twin = object.__new__(type(value))
    twin.__dict__.update(facts)
    return twin


def is_still(twin: Any, value: Any) -> bool:
    """Say whether a nameless copy shares all with its model, which code that has it in its hands may have changed."""
    if twin is value or type(twin) is not type(value):
        return twin is value
    if isinstance(value, (list, tuple)):
        return len(twin) == len(value) and all(map(is_still, twin, value))
    if not _has_parts(value):
        return False
    own, facts = vars(twin), vars(value)
    return len(own) == len(facts) - (NAMES in facts) and all(
        name in facts and is_still(fact, facts[name]) for name, fact in own.items()
    )


def _has_columns(table: pd.DataFrame, names: list[str] | None, width: int) -> bool:
    """Say whether a table has the columns of the fit in their order, and they are numbers as those that were tried."""
    if type(table) is not pd.DataFrame or table.size > MOST_CELLS:
        return False
    found = table.columns.tolist()
    is_known = len(found) == width if names is None else found == names
    return is_known and set(map(type, found)) == {str} and set(table.dtypes) <= NUMBERS


def _numbers(table: pd.DataFrame) -> Array | None:
    """Return a copy of the numbers of a table, None if they lie in memory otherwise than those that were tried."""
    array = table.to_numpy()
    return np.array(array, order="F") if array.flags.f_contiguous else None


def _has_parts(value: Any) -> bool:
    return type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__")


def _stand(names: list[str] | None, width: int, written: Callable[[str], str]) -> Callable[[Header], bool | None]:
    """Return the function that says whether columns stand as they did at the fit; None says that one is missing."""

    @lru_cache(maxsize=HEADERS_KEPT)
    def stand(header: Header) -> bool | None:
        columns = list(header.columns)
        if names is None:
            return True if len(columns) == width else None
        if [written(column) for column in columns] == names:
            return True
        return False if set(columns) >= set(names) else None

    return stand


def _is_worth_it(by_table: ScoreTable, rows: Rows) -> bool:
    """Say whether a model is quick, once it has prepared what it needs and when nothing else keeps the machine busy."""
    times = []
    for _ in range(CALLS_TO_MEASURE):
        start = time.process_time()
        if _outcome(by_table, rows.table()) is None:
            return False
        times.append(time.process_time() - start)
    return min(times) < WORTH_SECONDS


def _is_same(by_table: ScoreTable, by_rows: ScoreRows, rows: Rows) -> bool:
    """Say whether rows are scored alike without a table and, thereafter, with one."""
    outcome = _outcome(by_rows, rows)
    # What fails is done again with a table, whatever comes of that.
    return outcome is None or outcome == _outcome(by_table, rows.table())


def _is_by_row(score: ScoreRows, rows: Rows) -> bool:
    """Say whether rows are scored as their halves are, but for last bits."""
    half = len(rows) // 2
    values = [
        _values(score, replace(rows, cells=cells)) for cells in (rows.cells, rows.cells[:half], rows.cells[half:])
    ]
    found = [part for part in values if part is not None]
    if len(found) < len(values):
        return False
    whole, joined = found[0], np.concatenate(found[1:])
    if whole.dtype.kind != "f":
        return np.array_equal(whole, joined)
    return np.allclose(whole, joined, rtol=0, atol=LAST_BITS * float(np.max(np.abs(whole), initial=1.0)))


def _values(score: ScoreRows, rows: Rows) -> Array | None:
    try:
        scores: Scores | None = border.call(score, rows, failing="")
    except RunnerError:
        return None
    return None if scores is None else scores.values


def _outcome(function: Callable[[Any], Scores | None], given: object) -> object:
    """Return all that a result consists of, and the warnings that came with it; None for a failure."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            scores: Scores | None = border.call(function, given, failing="")
        except RunnerError:
            return None
    if scores is None:
        return None
    values, labels = scores.values, scores.labels
    words = [(one.category, str(one.message)) for one in told]
    return values.dtype, values.shape, values.tobytes(), None if labels is None else list(labels), words


def _header(names: list[str]) -> Header:
    """Return the header that a client most likely sends; it is remembered then."""
    sent = csv_rows.header(",".join(names).encode())
    return sent if sent is not None and list(sent.columns) == names else Header(pd.Index(names))


def _tries(header: Header) -> Iterator[Rows]:
    """Yield rows of all kinds: fractions and integers, small and large, in one column and in all, with gaps."""
    random, width = np.random.default_rng(0), len(header.columns)
    for count in (1, 2, MANY):
        size = (count, width)
        fractions = (random.choice([-1.0, 1.0], size) * 10.0 ** random.uniform(-4, 5, size)).tolist()
        integers = random.integers(-3, 1000, size).tolist()
        is_whole = (np.arange(width) % 2 == 1).tolist()
        mixed = [
            [whole if flag else fraction for whole, fraction, flag in zip(*row, is_whole, strict=True)]
            for row in zip(integers, fractions, strict=True)
        ]
        gaps = [[None if random.random() < 0.2 else cell for cell in row] for row in fractions]
        yield Rows(header, fractions, [False] * width)
        yield Rows(header, integers, [True] * width)
        yield Rows(header, mixed, is_whole)
        yield Rows(header, gaps, [False] * width)
