"""What a Parquet file is known to hold before it is read."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custom_model_runner.data import parquet_facts
from custom_model_runner.data.parquet_facts import Facts
from custom_model_runner.data.thrift import Reader

from ... import parquet_files
from ...parquet_files import LONG

LIMIT = 1 << 20
BROKEN = (ValueError, TypeError, LookupError)


def written(columns: dict[str, Any], **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, **options)
    return bytes(sink.getvalue())


def facts(columns: dict[str, Any], **options: Any) -> Facts:
    return parquet_facts.of(written(columns, **options), LIMIT)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("group", [100_000, 1000])
def test_numbers_take_their_width_however_few_there_are_on_the_pages(version: str, group: int) -> None:
    columns = {
        "double": np.zeros(10_000),
        "float": np.zeros(10_000, np.float32),
        "bool": [True] * 10_000,
        "bytes": pa.array([b"x" * 10] * 10_000, pa.binary(10)),
        "missing": pa.nulls(10_000, pa.int64()),
    }
    for compression in ("none", "zstd"):
        found = facts(columns, data_page_version=version, row_group_size=group, compression=compression)
        assert found.size == pytest.approx(10_000 * (8 + 4 + 1 + 10 + 8), rel=0.05)
        assert (found.folded, found.longest) == ((), 0)


def test_lists_count_all_their_values() -> None:
    assert facts({"a": [[1.0] * 1000] * 10}).size == pytest.approx(80_000, rel=0.05)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_text_that_repeats_may_be_as_long_as_its_dictionary(version: str) -> None:
    found = facts({"a": [LONG, "y"] * 1000, "b": ["y"] * 2000}, data_page_version=version)
    assert found.size < 100_000
    assert found.longest == pytest.approx(len(LONG), rel=0.01)
    assert found.rows_at_once(LIMIT) == LIMIT // found.longest


def test_text_that_cannot_become_longer_than_the_limit_is_not_named() -> None:
    assert facts({"a": ["yes", "no"] * 10_000}).longest == 0
    assert facts({"a": [LONG] * 1000}, use_dictionary=False).longest == 0


def test_text_that_repeats_inside_lists_is_named_by_its_path() -> None:
    found = facts({"a": [[LONG] * 2] * 1000, "s": [{"q": [LONG]}] * 1000, "t": [{"q": LONG}] * 1000})
    assert sorted(path.partition(".list.")[0] for path in found.folded) == ["a", "s.q"]
    assert found.longest == pytest.approx(len(LONG), rel=0.01)


def test_text_that_begins_as_the_one_before_may_be_as_long_as_its_page() -> None:
    found = parquet_facts.of(parquet_files.LONG_TEXTS, LIMIT)
    assert len(LONG) < found.longest < 10 * len(LONG)


def test_no_rows_have_no_pages() -> None:
    assert facts({"a": pa.array([], pa.float64()), "t": pa.array([], pa.string())}) == Facts(2, 0, (), 0)


def test_a_step_has_at_least_a_row_and_not_all_of_them() -> None:
    assert Facts(1, 0, (), 10).rows_at_once(5) == 1
    assert Facts(1, 0, (), 0).rows_at_once(1 << 40) == parquet_facts.MOST_ROWS_AT_ONCE


def test_columns_that_share_their_pages_are_an_error() -> None:
    """A few bytes for each of them would be enough to have the pages walked any number of times."""
    two = written({"a": random.Random(1).randbytes(80_000).hex().split("0")}, use_dictionary=False, compression="none")
    one = Reader(two, len(two) - 8 - int.from_bytes(two[-8:-4], "little")).struct()
    group = one[parquet_facts.ROW_GROUPS][0]
    columns = parquet_facts._leaves(one[parquet_facts.SCHEMA])
    assert parquet_facts._found(two, columns, [group], LIMIT).size > 80_000
    with pytest.raises(ValueError, match="the pages are more than the file"):
        parquet_facts._found(two, columns, [group] * 3, LIMIT)


def test_the_header_of_a_page_is_not_read_without_an_end() -> None:
    numbers = parquet_facts.MOST_PAGE_HEADER
    header = b"\xf9\xf3" + bytes([numbers & 127 | 128, numbers >> 7 & 127 | 128, numbers >> 14]) + bytes(numbers)
    chunk = {parquet_facts.COUNT: 1, parquet_facts.FIRST_PAGE: 0, parquet_facts.COMPRESSED: len(header)}
    assert len(Reader(header + b"\x00").struct()[15]) == numbers
    with pytest.raises(IndexError):
        list(parquet_facts._pages(header + b"\x00", chunk))


@pytest.mark.parametrize("seed", range(300))
def test_broken_metadata_is_one_of_few_errors(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(written({"a": [1.0, 2.0], "t": ["x", None], "l": [["x"], []]}))
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for _ in range(chance.randrange(1, 8)):
        data[chance.randrange(start, len(data))] = chance.choice((0, 1, 12, 25, 127, 128, 255))
    try:
        assert parquet_facts.of(bytes(data), LIMIT).size >= 0
    except BROKEN as error:
        assert isinstance(error, BROKEN)  # noqa: PT017  # broken or not, one of the two must hold
