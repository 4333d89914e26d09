"""What the headers of a Parquet file tell of its pages, before these are read.

The structs are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift. They are
not asked of pyarrow, which ends the process when some of them are broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from custom_model_runner.data.thrift import Reader, Struct

# The file ends with its metadata, the length of that in four bytes, and four letters.
TAIL = 8
SCHEMA, ROW_GROUPS = 2, 4
TYPE, TYPE_LENGTH, REPETITION, CHILDREN = 1, 2, 3, 5
CHUNKS = 1
CHUNK = 3
PATH, COUNT, COMPRESSED, FIRST_PAGE, DICTIONARY_PAGE = 3, 5, 7, 9, 11
PAGE_TYPE, PAGE_SIZE, PAGE_COMPRESSED, PAGE, PAGE_V2 = 1, 2, 3, 5, 8
VALUES, ENCODING, ENCODING_V2 = 1, 2, 4
DICTIONARY = 2
REPEATED = 2
BYTES, FIXED_BYTES = 6, 7
# Bytes in memory of a value of each type; of text, only where it begins.
WIDTHS = {0: 1, 1: 4, 2: 8, 3: 8, 4: 4, 5: 8, BYTES: 4}
# Values that are numbers of others, and values that repeat the beginning of the one before.
NUMBERED, PREFIXED = frozenset({2, 8}), 7
MOST_ROWS_AT_ONCE = 1 << 16
MOST_PAGE_HEADER = 1 << 20


@dataclass(frozen=True)
class Column:
    """One column of values: its path, the bytes of a value, and whether values are text and rows lists of them."""

    width: int
    is_text: bool
    is_repeated: bool


@dataclass(frozen=True)
class Facts:
    """How many columns of values there are, how many bytes the pages hold, and which texts could be far longer.

    `folded` are columns of lists whose texts repeat; `longest` is the sum of how long a text can be in each other
    column where texts repeat, or begin as the one before.
    """

    columns: int
    size: int
    folded: tuple[str, ...]
    longest: int

    def rows_at_once(self, limit: int) -> int:
        """Return how many rows take no more than the limit, however long their texts are."""
        return max(1, min(MOST_ROWS_AT_ONCE, limit // max(self.longest, 1)))


@dataclass(frozen=True)
class _Chunk:
    """What the pages of one column in one group of rows take: at least, at most, and for one value at most."""

    path: str
    size: int
    most: int
    longest: int


def metadata_length(data: bytes) -> int:
    """Return how many bytes of a file are its metadata; a broken file is a ValueError."""
    length = int.from_bytes(data[-TAIL : -TAIL // 2], "little")
    if length > len(data) - TAIL:
        raise ValueError("the metadata is longer than the file")
    return length


def of(data: bytes, limit: int, let_go: Callable[[], None] = lambda: None) -> Facts:
    """Return the facts of a file; texts that together cannot be longer than a limit are not worth to be named.

    `let_go` is called now and then, when nothing that was read of the data is needed any more. A broken file is a
    ValueError, TypeError or LookupError.
    """
    metadata = Reader(data, len(data) - TAIL - metadata_length(data)).struct()
    return _found(data, _leaves(metadata[SCHEMA]), _get(metadata, ROW_GROUPS, ()), limit, let_go)


def _found(
    data: bytes,
    columns: Sequence[Column],
    groups: Sequence[Struct],
    limit: int,
    let_go: Callable[[], None] = lambda: None,
) -> Facts:
    size, stored, longest = 0, 0, [0] * len(columns)
    folded: dict[str, None] = {}
    for group in groups:
        for index, (column, entry) in enumerate(zip(columns, group[CHUNKS], strict=True)):
            # Chunks that share their pages could be any number.
            stored += max(entry[CHUNK][COMPRESSED], 0)
            if stored > len(data):
                raise ValueError("the pages are more than the file")
            chunk = _chunk(data, column, entry[CHUNK])
            let_go()
            size += chunk.size
            if chunk.most > limit and column.is_repeated:
                folded[chunk.path] = None
            elif chunk.most > limit:
                longest[index] = max(longest[index], chunk.longest)
    return Facts(len(columns), size, tuple(folded), sum(longest))


def _get(fields: Struct, number: int, default: Any) -> Any:
    """Return a field that may be missing; what is no struct is a TypeError."""
    if not isinstance(fields, dict):
        raise TypeError("a struct was expected")
    return fields.get(number, default)


def _leaves(schema: Sequence[Struct]) -> list[Column]:
    """Return the columns of values in a schema, which lists a tree with its root first."""
    found: list[Column] = []
    # How many children are still to come at each level, and whether rows are lists there.
    open_levels = [(_get(schema[0], CHILDREN, 0), False)]
    for element in schema[1:]:
        while open_levels and not open_levels[-1][0]:
            open_levels.pop()
        left, is_repeated = open_levels.pop()
        open_levels.append((left - 1, is_repeated))
        is_repeated = is_repeated or _get(element, REPETITION, None) == REPEATED
        if _get(element, CHILDREN, 0):
            open_levels.append((element[CHILDREN], is_repeated))
            continue
        kind = element[TYPE]
        width = element[TYPE_LENGTH] if kind == FIXED_BYTES else WIDTHS[kind]
        found.append(Column(width, kind == BYTES, is_repeated))
    return found


def _chunk(data: bytes, column: Column, metadata: Struct) -> _Chunk:
    size, most, longest, dictionary = 0, 0, 0, 0
    for page in _pages(data, metadata):
        own = page[PAGE_SIZE]
        if page[PAGE_TYPE] == DICTIONARY:
            dictionary = max(dictionary, own)
        header = _get(page, PAGE, None) or _get(page, PAGE_V2, {})
        encoding = _get(header, ENCODING if PAGE in page else ENCODING_V2, None)
        values = _get(header, VALUES, 0)
        size += max(own, column.width * values)
        # As long as one value can be.
        length = 0 if not column.is_text else dictionary if encoding in NUMBERED else own if encoding == PREFIXED else 0
        most, longest = most + max(own, length * values), max(longest, length)
    return _Chunk(b".".join(metadata[PATH]).decode(), size, most, longest)


def _pages(data: bytes, metadata: Struct) -> Iterator[Struct]:
    """Yield the headers of the pages of a chunk; without values its offsets mean nothing."""
    if metadata[COUNT] <= 0:
        return
    start = metadata[FIRST_PAGE]
    # Zero is what some writers say when there is none.
    dictionary = _get(metadata, DICTIONARY_PAGE, 0)
    start = min(start, dictionary) if dictionary > 0 else start
    end = start + metadata[COMPRESSED]
    if not 0 <= start <= end <= len(data):
        raise ValueError("pages stand outside of the file")
    view = memoryview(data)
    while start < end:
        reader = Reader(view[start : start + MOST_PAGE_HEADER])
        page = reader.struct()
        if min(page[PAGE_SIZE], page[PAGE_COMPRESSED]) < 0:
            raise ValueError("a page has a negative size")
        yield page
        start += reader.position + page[PAGE_COMPRESSED]
