"""What data is that is not what it was read as, told by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from custom_model_runner.data import compression
from custom_model_runner.errors import InputError

NOT_READ = "which is not read; expected gzip or zstd, if it is to be compressed"
TOLD = "over HTTP the content type tells, in batch the name of the file or --input-format"
PARQUET, ARROW, NEVER = rb"PAR1", rb"ARROW1\x00\x00", rb"(?!)"
# From https://www.unicode.org/faq/utf_bom.html and the specifications of the formats.
BEGINS = {
    rb"\xff\xfe|\xfe\xff": "UTF-16 text, expected UTF-8",
    rb"BZh[1-9]1AY&SY": f"bzip2 data, {NOT_READ}",
    rb"\xfd7zXZ\x00": f"xz data, {NOT_READ}",
    rb"PK\x03\x04": "a ZIP archive or an Excel workbook, which are not read; expected a table of another format",
    PARQUET: f"Parquet: {TOLD}",
    ARROW: f"an Arrow file: {TOLD}",
}
OWN = {"parquet": PARQUET, "arrow": ARROW}


@contextmanager
def noticed(data: bytes, format_name: str) -> Iterator[None]:
    """Have a failure to read data as a format say what the data looks like, if that is something else."""
    try:
        yield
    except InputError as error:
        what = None if re.match(OWN.get(format_name, NEVER), data) else _of(data)
        if what is None:
            raise
        raise InputError(f"The input, read as {format_name}, looks like {what}") from error


def _of(data: bytes) -> str | None:
    encoding = compression.encoding_of(data)
    if encoding is not None:
        return (
            f"{encoding} data: over HTTP send 'Content-Encoding: {encoding}', "
            f"in batch give the file a name that ends in {compression.suffix_of(encoding)}"
        )
    return next((what for begin, what in BEGINS.items() if re.match(begin, data)), None)
