"""Bytes read one after another, with a bound, and without keeping what is passed over."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import IO, Any

BLOCK = 1 << 16
TAIL = 64
LONGEST_LINE = 1 << 16

# Why bytes end too early.
CUT = "it is cut"
DAMAGED = "it is damaged"
LONG = "it goes on for longer than is looked at"


class Ended(Exception):
    """The bytes end, or go on for longer than anyone looks, before what is read from them does."""


class Stream:
    """A binary file that is only ever read forwards; `position` counts decoded bytes.

    `most` bounds how many bytes are read; `size` is that of a file whose bytes can be passed over unread.
    """

    def __init__(self, file: IO[bytes], *, most: int, size: int | None = None) -> None:
        self.file = file
        self.left = most
        self.size = size
        self.position = 0

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        self.left -= size
        if self.left < 0:
            raise Ended(LONG)
        try:
            found = self.file.read(size)
        except DECODING_ERRORS as error:
            raise Ended(_reason(error)) from error
        self.position += len(found)
        if len(found) < size:
            raise Ended(CUT)
        return found

    def skip(self, size: int) -> bytes:
        """Pass over so many bytes and return the last few of them."""
        if self.size is not None and size > TAIL:
            if self.position + size > self.size:
                raise Ended(CUT)
            self.file.seek(size - TAIL, io.SEEK_CUR)
            self.position += size - TAIL
            size = TAIL
        tail = b""
        while size > 0:
            block = self.read(min(size, BLOCK))
            tail = (tail + block)[-TAIL:]
            size -= len(block)
        return tail

    def line(self) -> bytes:
        """Return the bytes up to the next line feed, without it."""
        try:
            found = self.file.readline(min(LONGEST_LINE, self.left))
        except DECODING_ERRORS as error:
            raise Ended(_reason(error)) from error
        self.left -= len(found)
        self.position += len(found)
        if not found.endswith(b"\n"):
            raise Ended(LONG if len(found) == LONGEST_LINE or not self.left else CUT)
        return found[:-1]


# What the decoders of the standard library raise on bytes that are cut or damaged.
DECODING_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def _reason(error: Exception) -> str:
    return CUT if isinstance(error, EOFError) else DAMAGED


class _Zlib(io.RawIOBase):
    """A zlib stream as a file; the standard library has one for every kind but this."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.decoder = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = b""
        while not found and not self.decoder.eof:
            given = self.decoder.unconsumed_tail or self.file.read(BLOCK)
            if not given:
                raise EOFError("the zlib stream is cut")
            found = self.decoder.decompress(given, len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _zlib(file: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Zlib(file))


def _gzip(file: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]


def _unread(file: IO[bytes]) -> IO[bytes]:
    raise Ended("its compression is not read")


# How compressed files begin that joblib opens, what they are called and how they are read.
COMPRESSIONS: Mapping[bytes, tuple[str, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x5d\x00\x00": ("lzma", lzma.LZMAFile),
    b"\x78\x01": ("zlib", _zlib),
    b"\x78\x5e": ("zlib", _zlib),
    b"\x78\x9c": ("zlib", _zlib),
    b"\x78\xda": ("zlib", _zlib),
    b"\x04\x22\x4d\x18": ("lz4", _unread),
    b"ZF0x": ("joblib 0.9", _unread),
}


def compression_of(start: bytes) -> str | None:
    """Return the name of the compression that a file begins like."""
    return next((name for magic, (name, _) in COMPRESSIONS.items() if start.startswith(magic)), None)


def decoded(file: IO[bytes]) -> IO[bytes]:
    """Return a file that reads what a seekable file holds once it is decompressed."""
    start = file.read(max(map(len, COMPRESSIONS)))
    file.seek(0)
    opener = next((opener for magic, (_, opener) in COMPRESSIONS.items() if start.startswith(magic)), None)
    opened: IO[bytes] = opener(file) if opener else file
    return opened
