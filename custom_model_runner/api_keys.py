"""The keys with which clients of a server show who they are, as a file or a variable holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MOST_BYTES = 1 << 20


def read(path: Path) -> tuple[str, ...]:
    """Return the keys of a file, one a line; empty lines and lines that begin with # do not count.

    A ValueError says what is wrong, and never what the file holds.
    """
    try:
        if not path.is_file():
            raise ValueError(f"{str(path)!r} is {'no file' if path.exists() else 'not there'}, expected a file of keys")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise ValueError(f"the file of keys {str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the file of keys {str(path)!r} is not text") from error
    if len(data) > MOST_BYTES:
        raise ValueError(f"the file of keys {str(path)!r} is larger than {MOST_BYTES} bytes")
    try:
        return checked(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    except ValueError as error:
        raise ValueError(f"the file of keys {str(path)!r}: {error}") from error


def checked(keys: Iterable[str]) -> tuple[str, ...]:
    """Return keys, at least one, that can all be sent in a header."""
    found = tuple(keys)
    if not found:
        raise ValueError("found no key, expected one or more")
    for place, key in enumerate(found, 1):
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError(f"key {place} has blanks or characters that are not ASCII, expected visible ASCII only")
    return found


def file_with_keys(text: str) -> Path:
    """Return the absolute path of a file that holds keys; what it points to may change."""
    path = Path(text).absolute()
    read(path)
    return path
