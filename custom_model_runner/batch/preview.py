"""What a person at a terminal gets to see of a table: its beginning, its end, and how large it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from custom_model_runner.batch import segments
from custom_model_runner.batch.segments import Segment

ROWS = 20


def of(frame: pd.DataFrame, *, rows: int | None = None) -> bytes:
    """Return a table shortened; `rows` is how many there are if the frame does not hold those in the middle."""
    count = len(frame) if rows is None else rows
    shown = frame.to_string(max_rows=ROWS, show_dimensions=False)
    return f"{shown}\n\n[{count} rows x {frame.shape[1]} columns]\n".encode()


def of_segments(found: Iterator[Segment]) -> bytes:
    """Return the tables in segments shortened, without holding what is not shown."""
    first: list[pd.DataFrame] = []
    last: deque[pd.DataFrame] = deque()
    count = 0
    for segment in segments.with_columns(found):
        table = pa.ipc.open_stream(segment.body).read_pandas()
        table.index = pd.RangeIndex(count, count + len(table))
        count += len(table)
        if sum(map(len, first)) <= ROWS:
            first.append(table.head(ROWS + 1))
        last.append(table.tail(ROWS))
        while sum(map(len, last)) - len(last[0]) >= ROWS:
            last.popleft()
    every = pd.concat([*first, *last])
    return of(every[~every.index.duplicated()], rows=count)
