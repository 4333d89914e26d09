"""A table whose compressed bytes go on for gigabytes: about 10 MB that decode to 10 GB."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Mapping

import pyarrow as pa

MEMBERS = 1000
# Zeros compress so well that some noise is needed to make 10 MB of them.
MEMBER = random.Random(0).randbytes(10_000) + bytes(10_000_000)


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": _zstd}


def bomb(table: bytes, encoding: str) -> bytes:
    """Return a body that begins as a table does."""
    encode = ENCODERS[encoding]
    return encode(table) + encode(MEMBER) * MEMBERS
