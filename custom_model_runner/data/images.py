"""Images as base64 text, told by the bytes that image files begin with."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import pandas as pd

MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
# Letters that stand for all the bytes above, in whole groups of four.
HEAD = 12


def is_images(column: pd.Series[Any]) -> bool:
    """Say whether every value of a text column is an image; missing values do not count, and alone they are none."""
    # Most text is told at its first value.
    first = next((value for value in column.array if isinstance(value, str)), None)
    return _is_image(first) and all(map(_is_image, column.dropna()))


def _is_image(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value[:HEAD], validate=True).startswith(MAGIC)
    except (binascii.Error, ValueError):
        return False
