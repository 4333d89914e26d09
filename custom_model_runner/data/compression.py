"""gzip and zstd: data decoded piece by piece and under a bound, and encoded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Protocol

import pyarrow

from custom_model_runner.errors import MalformedRequest, PayloadTooLarge, UnknownEncoding
from custom_model_runner.heap import LARGE

ENCODINGS = ("gzip", "zstd")
SUFFIXES = {".gz": "gzip", ".zst": "zstd"}
# RFC 9110 asks to take the one for the other.
ALIASES = {"x-gzip": "gzip"}
# Each layer takes memory of its own: up to 128 MiB, the largest window of zstd that the library accepts.
MOST_LAYERS = 2
# gunicorn reads so much ahead, and copies all that is left of it for each smaller piece.
CHUNK = 1 << 20
# With what their data begins: RFC 1952 (and its only method), RFC 8878.
BEGINS = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class Readable(Protocol):
    """What bytes are read from; an empty answer is the end."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes."""
        ...


class _Borrowed:
    """A source that stays open, although the library closes what it has read."""

    closed = False

    def __init__(self, source: Readable) -> None:
        self.read = source.read

    def close(self) -> None:
        """Leave it open."""


class _Layer:
    """One encoding undone while it is read, as far as the limit."""

    def __init__(self, source: Readable, encoding: str, limit: int) -> None:
        self._decoder = pyarrow.CompressedInputStream(pyarrow.PythonFile(_Borrowed(source), mode="r"), encoding)
        self._encoding = encoding
        self._limit = limit
        self._size = 0

    def read(self, size: int, /) -> bytes:
        try:
            data: bytes = self._decoder.read(size)
        except OSError as error:
            # What the source itself raises comes through as it is.
            if type(error) is not OSError:
                raise
            raise MalformedRequest(
                f"The {self._encoding} data is broken: it is cut short, followed by other data, or no {self._encoding}"
            ) from error
        self._size += len(data)
        if self._size > self._limit:
            raise PayloadTooLarge(
                f"The {self._encoding} data decodes to more than the limit of {self._limit} bytes (--max-decoded-bytes)"
            )
        return data


def decoded(source: Readable, encodings: Sequence[str], limit: int) -> Readable:
    """Return a source that undoes encodings, the last one first; memory does not grow with what they hold.

    Reading it raises an input error when the data is broken, and when any layer yields more bytes than the limit.
    """
    for encoding in reversed(encodings):
        source = _Layer(source, encoding, limit)
    return source


def read_all(source: Readable, *, expected: int = 0) -> bytes:
    """Return everything that is left, held once; `expected` is how many bytes that are, if it is known."""
    whole = io.BytesIO()
    if expected >= LARGE:
        # What grows through all sizes leaves holes behind, which the heap of a server keeps.
        whole.seek(LARGE - 1)
        whole.write(b"\0")
        whole.seek(0)
    while piece := source.read(CHUNK):
        whole.write(piece)
    whole.truncate()
    return whole.getvalue()


def encodings_of(header: str) -> tuple[str, ...]:
    """Return the encodings that a `Content-Encoding` names, in the order in which they were applied."""
    names = [name.strip().lower() for name in header.split(",")]
    found = tuple(ALIASES.get(name, name) for name in names if name not in ("", "identity"))
    for name in found:
        if name not in ENCODINGS:
            raise UnknownEncoding(f"The content encoding {name!r} is not supported; supported: {', '.join(ENCODINGS)}")
    if len(found) > MOST_LAYERS:
        raise UnknownEncoding(f"The body has {len(found)} content encodings, expected at most {MOST_LAYERS}")
    return found


def split(file_name: str) -> tuple[str, str | None]:
    """Return a file name without the suffix of an encoding, and that encoding or None."""
    for suffix, encoding in SUFFIXES.items():
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)], encoding
    return file_name, None


def encoding_of(data: bytes) -> str | None:
    """Return the encoding that data begins like, or None."""
    return next((encoding for start, encoding in BEGINS.items() if data.startswith(start)), None)


def suffix_of(encoding: str) -> str:
    """Return the suffix of files in an encoding."""
    return next(suffix for suffix, name in SUFFIXES.items() if name == encoding)


def encoded(data: bytes, encoding: str) -> bytes:
    """Return data encoded; the same data gives the same bytes, without a time or a name."""
    compressed: bytes = pyarrow.Codec(encoding).compress(data, asbytes=True)
    return compressed
