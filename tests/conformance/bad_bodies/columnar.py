"""Bad bodies of Arrow and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .case import GOOD, Case
from .writers import arrow, parquet

LONG = "x" * 1_000_000


def broken_text() -> pa.Array:
    return pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())


def repeated(rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([LONG]))


def of_arrow(new: Callable[..., Any]) -> Mapping[str, Case]:
    zeros = np.zeros(20_000_000)
    compressed = {
        f"compressed by {name}": Case(arrow(pa.table({"a": zeros, "b": zeros}), new=new, compression=name))
        for name in ("lz4", "zstd")
    }
    return {
        **compressed,
        "one column twice": Case(arrow(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), new=new)),
        "text that is not UTF-8": Case(arrow(pa.table({"a": broken_text(), "b": [1.0]}), new=new)),
        "two billion rows of nothing": Case(
            arrow(pa.table({"a": pa.nulls(2**31 - 2), "b": pa.nulls(2**31 - 2)}), new=new)
        ),
        "repeated text in structs": Case(
            arrow(pa.table({"a": pa.StructArray.from_arrays([repeated(10_000)], ["t"])}), new=new)
        ),
        "a changed byte": Case(changed(arrow(pa.table(dict(GOOD)), new=new))),
        "dates and lists": Case(arrow(pa.table({"a": [[1.0]], "b": pa.array([0], pa.timestamp("ns"))}), new=new)),
    }


def changed(body: bytes) -> bytes:
    """A length in the first message points far away."""
    return body[:20] + b"\xff\xff\xff\x7f" + body[24:]


def of_parquet() -> Mapping[str, Case]:
    zeros = np.zeros(20_000_000)
    whole = parquet(GOOD)
    return {
        "one column twice": Case(twice()),
        "equal numbers": Case(parquet({"a": zeros, "b": zeros})),
        "compressed numbers": Case(parquet({"a": zeros, "b": zeros}, use_dictionary=False, compression="zstd")),
        "repeated text": Case(parquet({"a": repeated(100_000)}, store_schema=False, compression="zstd")),
        "prefixes of text": Case(
            parquet({"a": [LONG] * 100}, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"})
        ),
        "text that is not UTF-8": Case(parquet({"a": broken_text(), "b": [1.0]})),
        "missing pages": Case(whole[:4] + bytes(len(whole) // 3 - 4) + whole[len(whole) // 3 :]),
        "an end that is longer than the file": Case(whole[:-8] + b"\xff\xff\xff\x7fPAR1"),
        "a broken end": Case(whole[:-60] + b"\xff" * 52 + whole[-8:]),
    }


def twice() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), sink)
    return bytes(sink.getvalue())
