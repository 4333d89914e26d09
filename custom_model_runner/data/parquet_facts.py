"""What the end of a Parquet file tells of its contents, before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Bytes of a value in memory; of text, only where it begins.
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}
# What text and bytes may be declared to be; numbers may stand in bytes as well.
TEXTS = frozenset({"STRING", "NONE", "ENUM", "JSON", "BSON"})
DICTIONARIES = frozenset({"RLE_DICTIONARY", "PLAIN_DICTIONARY"})
# Values that repeat the beginning of the one before.
PREFIXES = "DELTA_BYTE_ARRAY"
MOST_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Facts:
    """How many bytes the values take at least, the columns whose text repeats, and the longest text of another kind."""

    size: int
    repeated: tuple[str, ...]
    longest: int

    def rows_at_once(self, limit: int) -> int:
        """Return how many rows take no more than the limit, however long their texts are."""
        return max(1, min(MOST_ROWS_AT_ONCE, limit // max(self.longest, 1)))


def of(metadata: Any) -> Facts:
    """Return the facts of a file; a type that is not known is a KeyError."""
    size, longest = 0, 0
    repeated: dict[str, None] = {}
    widths = [_width(metadata.schema.column(index)) for index in range(metadata.num_columns)]
    texts = {index for index in range(len(widths)) if metadata.schema.column(index).logical_type.type in TEXTS}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for index, width in enumerate(widths):
            chunk = group.column(index)
            size += max(width * max(group.num_rows, chunk.num_values), chunk.total_uncompressed_size)
            if chunk.physical_type != "BYTE_ARRAY":
                continue
            encodings = chunk.encodings
            if index in texts and not DICTIONARIES.isdisjoint(encodings):
                repeated[chunk.path_in_schema] = None
            if PREFIXES in encodings:
                longest = max(longest, chunk.total_uncompressed_size)
    return Facts(size, tuple(repeated), longest)


def _width(column: Any) -> int:
    return int(column.length) if column.physical_type == "FIXED_LEN_BYTE_ARRAY" else WIDTHS[column.physical_type]
