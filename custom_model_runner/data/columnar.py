"""Arrow tables to DataFrames and back, with the types that users of pandas know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
from pandas.api.types import is_object_dtype

from custom_model_runner.data import arrow_size, arrow_types, cells, column_names, missing
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, InputError

# What pandas calls the columns of an index that has no name.
INDEX_COLUMN = re.compile(r"__index_level_\d+__")
# Whatever pyarrow finds wrong with bytes; its texts may quote them, and are not used.
BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError)
# The type that text has in a table from CSV: str since pandas 3, object before.
TEXT = pd.Series(["text"]).dtype
TEXT_TYPES = {kind: TEXT for kind in (pa.string(), pa.large_string()) if not is_object_dtype(TEXT)}

arrow_types.forbid_pickles()


def read(name: str, payload: Payload, open_table: Callable[[Payload], Any]) -> pd.DataFrame:
    """Return what a function reads as an Arrow table, as a DataFrame; whatever is wrong with it is an input error."""
    with whole(name):
        table = open_table(payload)
        # Offsets inside the bytes are believed from here on.
        table.validate(full=True)
        names = table.column_names
    column_names.check_in(names, name)
    try:
        payload.check_size(arrow_size.of(table))
        frame = missing.as_nan(to_frame(_plain(table)))
        # Without any, it takes as long as the rest.
        return frame.astype(payload.types) if payload.types else frame
    except MemoryError:
        raise
    except BROKEN as error:
        raise InputError(f"The {name} input holds types or values that a table cannot hold") from error


@contextmanager
def whole(name: str) -> Iterator[None]:
    """Have whatever is found wrong with the bytes of a format be an input error."""
    try:
        yield
    except MemoryError:
        raise
    except BROKEN as error:
        raise InputError(f"The {name} input is broken or cut short") from error


def types(schema: Any, has_gaps: Callable[[int], bool]) -> dict[str, str] | None:
    """Return the types of columns that depend on whether there are gaps anywhere, None if some are not to be told.

    Categories are those of all rows.
    """
    if any(pa.types.is_dictionary(field.type) for field in schema):
        return None
    found = {}
    for place, field in enumerate(schema):
        if pa.types.is_integer(field.type) and has_gaps(place):
            found[field.name] = "float64"
        elif pa.types.is_boolean(field.type) and has_gaps(place):
            found[field.name] = "object"
    return found


def resliced(batches: Iterator[Any], rows: int) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of record batches as Arrow streams, so many in each but the last, and how many these are.

    First comes a table without rows, which makes a stream if there are no others.
    """
    empty = next(batches)
    waiting: list[Any] = []
    count = total = 0
    for batch in batches:
        start = 0
        while start < len(batch):
            part = batch.slice(start, rows - count)
            waiting.append(part)
            count, start = count + len(part), start + len(part)
            if count == rows:
                yield count, stream(pa.Table.from_batches(waiting))
                waiting, count, total = [], 0, total + count
    if waiting or not total:
        yield count, stream(pa.Table.from_batches(waiting, empty.schema))


def stream(table: Any) -> bytes:
    """Return an Arrow table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def _plain(table: Any) -> Any:
    """Return a table without nameless indexes, and with numbers where pandas would make objects of them."""
    fields = list(enumerate(table.schema))
    kept = [(position, field) for position, field in fields if not INDEX_COLUMN.fullmatch(field.name)]
    odd = {position for position, field in kept if pa.types.is_decimal(field.type) or pa.types.is_null(field.type)}
    if not odd and len(kept) == len(fields):
        return table
    columns = [table.column(n).cast(pa.float64()) if n in odd else table.column(n) for n, _ in kept]
    return pa.Table.from_arrays(columns, names=[field.name for _, field in kept])


def to_frame(table: Any) -> pd.DataFrame:
    """Return an Arrow table, which is used up, as a DataFrame with text as CSV has it; gaps may be None."""
    names = table.column_names
    if any("\0" in name for name in names):
        # pyarrow has pandas look for two of the same name, and before pandas 3.1 that takes a NUL for the end of one.
        return to_frame(table.rename_columns([str(n) for n in range(len(names))])).set_axis(names, axis=1)
    frame: pd.DataFrame = table.to_pandas(
        # Names stay text, and an index that pandas has noted does not swallow a column.
        ignore_metadata=True,
        date_as_object=False,
        types_mapper=TEXT_TYPES.get,
        self_destruct=True,
        # Requests run side by side already, and waking threads takes longer than a small table.
        use_threads=False,
    )
    return frame


def table(name: str, frame: pd.DataFrame) -> Any:
    """Return a DataFrame as an Arrow table without its index; columns of the same name break the contract."""
    names = column_names.check_out(frame.columns, name)
    try:
        return pa.Table.from_arrays([_array(column) for _, column in frame.items()], names=names)
    except UnicodeEncodeError as error:
        raise ContractError("The predictions hold text that cannot be written as UTF-8") from error


def with_values(table: Any) -> Any:
    """Return an Arrow table with the values of categories in the place of their numbers."""
    kinds = [field.type for field in table.schema]
    if not any(map(pa.types.is_dictionary, kinds)):
        return table
    plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    return table.cast(pa.schema(list(zip(table.column_names, plain, strict=True))))


def _array(column: pd.Series[Any]) -> Any:
    """Return a column with its own type; objects that Arrow has no common type for become text."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(column.to_numpy())
    try:
        array = pa.array(column, from_pandas=True)
    except UnicodeEncodeError:
        raise
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        values = column.to_numpy(dtype=object)
        texts = zip(pd.isna(values).tolist(), cells.texts(values), strict=True)
        array = pa.array([None if is_missing else text for is_missing, text in texts], pa.string())
    is_text = pa.types.is_null(array.type) or pa.types.is_large_string(array.type)
    return array.cast(pa.string()) if is_text else array
