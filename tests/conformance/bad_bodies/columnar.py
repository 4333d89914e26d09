"""Bad bodies of Arrow and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...parquet_files import HUGE_TEXTS, without_arrow_schema
from .case import GOOD, Case, too_large
from .writers import arrow, parquet

END = b"\xff\xff\xff\xff\0\0\0\0"
LONG = "x" * 1_000_000


def broken_text() -> pa.Array:
    return pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())


def repeated(rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([LONG]))


def of_arrow(new: Callable[..., Any]) -> Mapping[str, Case]:
    return {
        **{f"10 GB by {name}": too_large(gigabytes(new, compression=name)) for name in ("lz4", "zstd")},
        "one column twice": Case(arrow(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), new=new)),
        "text that is not UTF-8": Case(arrow(pa.table({"a": broken_text(), "b": [1.0]}), new=new)),
        "two billion rows of nothing": too_large(
            arrow(pa.table({"a": pa.nulls(2**31 - 2), "b": pa.nulls(2**31 - 2)}), new=new)
        ),
        "repeated text in structs": too_large(
            arrow(pa.table({"a": pa.StructArray.from_arrays([repeated(10_000)], ["t"])}), new=new)
        ),
        "a changed byte": Case(changed(arrow(pa.table(dict(GOOD)), new=new))),
        "dates and lists": Case(arrow(pa.table({"a": [[1.0]], "b": pa.array([0], pa.timestamp("ns"))}), new=new)),
    }


def gigabytes(new: Callable[..., Any], *, compression: str) -> bytes:
    """Return 10 GB of zeros as a stream that has the same batch again and again, or as the file that holds it."""
    table = pa.table({"a": np.zeros(5_000_000), "b": np.zeros(5_000_000)})
    begin, once = (arrow(part, compression=compression)[: -len(END)] for part in (table[:0], table))
    # Without rows there is no batch.
    stream = begin + once[len(begin) :] * 125 + END
    return b"ARROW1\0\0" + stream + b"ARROW1" if new is pa.ipc.new_file else stream


def changed(body: bytes) -> bytes:
    """A length in the first message points far away."""
    return body[:20] + b"\xff\xff\xff\x7f" + body[24:]


def of_parquet() -> Mapping[str, Case]:
    zeros = np.zeros(20_000_000)
    whole, equal = parquet(GOOD), parquet({"a": zeros, "b": zeros})
    return {
        "one column twice": Case(twice()),
        "equal numbers": too_large(equal),
        "10 GB of equal numbers": Case(read_again(equal, doubled=5)),
        "metadata that goes on and on": too_large(with_metadata(whole, metadata_of(whole)[:-1] + LISTS)),
        "compressed numbers": too_large(parquet({"a": zeros, "b": zeros}, use_dictionary=False, compression="zstd")),
        "repeated text": too_large(without_arrow_schema(parquet({"a": repeated(100_000)}, compression="zstd"))),
        "prefixes of text": too_large(HUGE_TEXTS),
        "text that is not UTF-8": Case(parquet({"a": broken_text(), "b": [1.0]})),
        "missing pages": Case(whole[:4] + bytes(len(whole) // 3 - 4) + whole[len(whole) // 3 :]),
        "an end that is longer than the file": Case(whole[:-8] + b"\xff\xff\xff\x7fPAR1"),
        "a broken end": Case(whole[:-60] + b"\xff" * 52 + whole[-8:]),
    }


# A field that no reader knows: a list of 40 lists of a million structs without fields.
LISTS = b"\xf9\xf9\x28" + (b"\xfc\xc0\x84\x3d" + bytes(1_000_000)) * 40 + b"\0"


def metadata_of(whole: bytes) -> bytes:
    return whole[-8 - int.from_bytes(whole[-8:-4], "little") : -8]


def with_metadata(whole: bytes, metadata: bytes) -> bytes:
    pages = whole[: -8 - len(metadata_of(whole))]
    return pages + metadata + len(metadata).to_bytes(4, "little") + whole[-4:]


def read_again(whole: bytes, *, doubled: int) -> bytes:
    """Return a file whose groups of rows all have the same pages."""
    metadata = pq.read_metadata(pa.BufferReader(whole))
    for _ in range(doubled):
        metadata.append_row_groups(metadata)
    sink = pa.BufferOutputStream()
    metadata.write_metadata_file(sink)
    return with_metadata(whole, metadata_of(bytes(sink.getvalue())))


def twice() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), sink)
    return bytes(sink.getvalue())
