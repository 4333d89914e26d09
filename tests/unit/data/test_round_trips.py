"""What a format writes it reads again: the same table, types included, for each type that the format can carry."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_model_runner import plugins
from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload

TEXT = pd.read_csv(io.StringIO("a\ntext\n"))["a"].dtype
Values = st.SearchStrategy[Any]
Column = Callable[[int], st.SearchStrategy["pd.Series[Any]"]]

# A lone surrogate is no text, and CSV ends at a NUL.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ANY_TEXT = st.text(CHARACTERS, max_size=8)
# CSV takes other text for numbers, truth values or gaps.
PLAIN_TEXT = ANY_TEXT.map(lambda text: f"~{text}")
# Older versions of pandas miss the last bit of long numbers.
IS_EXACT = pd.read_csv(io.StringIO("a\n0.10000000000000002\n1e-5\n5e-324\n"))["a"].tolist() == [
    0.10000000000000002,
    1e-5,
    5e-324,
]
CSV_FLOATS = st.floats() if IS_EXACT else st.integers(-(10**12), 10**12).map(lambda number: number / 1000)
FINITE = st.floats(allow_infinity=False)
DATES = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
SPANS = st.timedeltas(timedelta(days=-(10**5)), timedelta(days=10**5))


def of(dtype: Any, values: Values) -> Column:
    """Columns of a type without gaps."""
    return lambda rows: st.lists(values, min_size=rows, max_size=rows).map(lambda drawn: pd.Series(drawn, dtype=dtype))


def with_gaps(dtype: Any, values: Values) -> Column:
    """Columns of a type in which values may be missing, but not all."""

    def column(rows: int) -> st.SearchStrategy[pd.Series[Any]]:
        drawn = st.lists(st.none() | values, min_size=rows, max_size=rows)
        full = drawn.filter(lambda found: found and any(value is not None for value in found))
        return full.map(lambda found: pd.Series(found, dtype=dtype).fillna(np.nan))

    return column


def flags(rows: int) -> st.SearchStrategy[pd.Series[Any]]:
    """Truth values, some missing: objects, as CSV has them."""
    drawn = st.lists(st.sampled_from([True, False, np.nan]), min_size=rows, max_size=rows)
    return drawn.filter(lambda found: True in found and found.count(np.nan) > 0).map(
        lambda found: pd.Series(found, dtype=object)
    )


def integers(dtype: str) -> Column:
    bounds = np.iinfo(dtype)
    return of(dtype, st.integers(int(bounds.min), int(bounds.max)))


LARGE = of("uint64", st.integers(2**63, 2**64 - 1))
COMMON = {
    "int64": integers("int64"),
    "uint64": LARGE,
    "bool": of("bool", st.booleans()),
    "flags": lambda rows: with_gaps(object, st.booleans())(rows).filter(lambda column: column.isna().any()),
}
JSON_TYPES = COMMON | {
    "float": of("float64", FINITE),
    "text": of(TEXT, ANY_TEXT),
    "text with gaps": with_gaps(TEXT, ANY_TEXT),
}
CSV_TYPES = COMMON | {
    "float": of("float64", CSV_FLOATS),
    "text": of(TEXT, PLAIN_TEXT),
    "text with gaps": with_gaps(TEXT, PLAIN_TEXT),
}
ARROW_TYPES = (
    {name: integers(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")}
    | {
        "bool": COMMON["bool"],
        "flags": COMMON["flags"],
        "float64": of("float64", st.floats()),
        "float32": of("float32", st.floats(width=32)),
    }
    | {"text": of(TEXT, st.text(CHARACTERS)), "text with gaps": with_gaps(TEXT, ANY_TEXT)}
    | {"bytes": of(object, st.binary(max_size=5))}
    | {"date": with_gaps("datetime64[ns]", DATES), "zoned date": with_gaps("datetime64[ns, Europe/Berlin]", DATES)}
    | {"span": with_gaps("timedelta64[ns]", SPANS)}
    | {"category": of(pd.CategoricalDtype(["b", "a", "c"]), st.sampled_from(["a", "b", "c"]))}
)
# Without a single value, a column of objects has no type and one with gaps is only gaps.
NEEDS_ROWS = frozenset({"text with gaps", "bytes", "date", "zoned date", "span", "flags", "category"})
FORMATS = {
    "csv": (CSV_TYPES, 1, PLAIN_TEXT),
    "json": (JSON_TYPES, 1, ANY_TEXT),
    "ndjson": (JSON_TYPES, 1, ANY_TEXT),
    "arrow": (ARROW_TYPES, 0, ANY_TEXT),
    "parquet": (ARROW_TYPES, 0, ANY_TEXT),
}


@st.composite
def tables_of(draw: st.DrawFn, name: str) -> pd.DataFrame:
    types, fewest_rows, names = FORMATS[name]
    rows = draw(st.integers(fewest_rows, 4))
    kinds = [kind for kind in types if rows or kind not in NEEDS_ROWS]
    chosen: Sequence[str] = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    titles = draw(st.lists(names, min_size=len(chosen), max_size=len(chosen), unique=True))
    return pd.DataFrame({title: draw(types[kind](rows)) for title, kind in zip(titles, chosen, strict=True)})


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_comes_back_as_it_was(name: str) -> None:
    @settings(max_examples=500, deadline=None)
    @given(tables_of(name), st.sampled_from(plugins.FORMATS[name].writes))
    def check(table: pd.DataFrame, media_type: str) -> None:
        read = tables.read(Payload(tables.write(table, media_type), media_type))
        pd.testing.assert_frame_equal(read, table, check_exact=True)

    check()


def test_every_format_that_is_written_is_tried() -> None:
    assert {name for name, line in plugins.FORMATS.items() if line.writes} == set(FORMATS)
