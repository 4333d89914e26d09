"""What a connection sends: gathered without waiting, until a thread may have it and read the rest in bounded time."""

from __future__ import annotations

import enum
import errno
import re
import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from gunicorn.http import unreader

# What is gathered of a request before a thread gets it; the thread reads the rest.
MOST_GATHERED = 1 << 16
MIB = 1 << 20
END_OF_HEAD = b"\r\n\r\n"
FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:([^\r\n]*)", re.IGNORECASE)
HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,15}")
# More are for a thread to read.
MOST_CHUNKS = 100
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Progress(enum.Enum):
    """How far a request has come: a part; as a whole; as far as a thread may have to wait for the rest; none will."""

    PART = enum.auto()
    WHOLE = enum.auto()
    REST = enum.auto()
    NEVER = enum.auto()


class Gathering:
    """The first bytes of a request; each is looked at once, however small the pieces are in which they come."""

    def __init__(self, received: bytes = b"") -> None:
        self.received = bytearray(received)
        self.searched = 0
        self.body = 0
        self.expects = False
        # Where the body ends, or None if it is chunked or not for us to judge.
        self.end: int | None = None
        self.is_chunked = False
        self.chunks = 0

    def add(self, data: bytes) -> Progress:
        """Take the next bytes, and say how far the request has come."""
        self.received += data
        progress = self._progress()
        if progress is Progress.PART and len(self.received) >= MOST_GATHERED:
            return Progress.REST
        return progress

    def _progress(self) -> Progress:
        if not self.body:
            found = self.received.find(END_OF_HEAD, self.searched)
            if found < 0:
                self.searched = max(len(self.received) - len(END_OF_HEAD) + 1, 0)
                return Progress.PART
            self._read_head(found)
        if self.is_chunked:
            return self._chunked()
        if self.end is None:
            return Progress.REST
        return Progress.WHOLE if len(self.received) >= self.end else Progress.PART

    def _read_head(self, end: int) -> None:
        """Learn from the head how long the body is; a head that is odd is left to the parser."""
        self.body = self.searched = end + len(END_OF_HEAD)
        found = FIELDS.findall(self.received, 0, end)
        fields = {name.lower(): value.strip().lower() for name, value in found}
        expected = fields.pop(b"expect", None)
        is_odd = len(found) > len(fields) + (expected is not None) or len(fields) > 1
        if is_odd or expected not in (None, b"100-continue"):
            return
        length, coding = fields.get(b"content-length", b"0"), fields.get(b"transfer-encoding")
        self.is_chunked = coding is not None and coding.endswith(b"chunked")
        if coding is None and length.isdigit():
            self.end = self.body + int(length)
        # Older clients do not wait for it.
        is_awaited = self.is_chunked or self.end is not None
        self.expects = expected is not None and is_awaited and self._is_modern()

    def _is_modern(self) -> bool:
        return self.received[: self.received.find(b"\r\n")].endswith(b"HTTP/1.1")

    def _chunked(self) -> Progress:
        """Go on from chunk to chunk, as far as they have come."""
        while self.chunks < MOST_CHUNKS:
            end = self.received.find(b"\r\n", self.searched)
            if end < 0:
                return Progress.PART
            size = self.received[self.searched : end].partition(b";")[0].strip()
            if not HEXADECIMAL.fullmatch(size):
                return Progress.REST
            if int(size, 16) == 0:
                return Progress.WHOLE if self.received.find(END_OF_HEAD, end) >= 0 else Progress.PART
            next_one = end + 2 + int(size, 16) + 2
            if len(self.received) < next_one:
                return Progress.PART
            if self.received[next_one - 2 : next_one] != b"\r\n":
                return Progress.REST
            self.searched = next_one
            self.chunks += 1
        return Progress.REST


class Reader(unreader.SocketUnreader):
    """What a connection sends; once begun, a request has some seconds for its head and for each MiB of its body."""

    def __init__(self, client: socket.socket, seconds: float) -> None:
        super().__init__(client)
        self.seconds = seconds
        self.has_continued = False
        self.gathering = Gathering()
        self.begin()

    def expect(self) -> Progress:
        """Wait for a further request, and say how far it has come with what the last one has left."""
        self.has_continued = False
        self.gathering = Gathering()
        return self._gathered(self.take_buffered())

    @property
    def has_begun(self) -> bool:
        """Whether a part of the request has come."""
        return bool(self.gathering.received or self.buf.tell())

    def begin(self) -> None:
        """Let the time of a request begin."""
        self.begun = time.monotonic()
        self.received = 0

    def gather(self) -> Progress:
        """Take what is there without waiting, and say how far the request has come; a thread sees failures again."""
        try:
            data = self.sock.recv(MOST_GATHERED)
        except NOTHING_YET:
            return Progress.PART
        except OSError:
            data = b""
        if data:
            return self._gathered(data)
        self._give()
        return Progress.WHOLE

    def _gathered(self, data: bytes) -> Progress:
        progress = self.gathering.add(data)
        if self.gathering.expects and progress is Progress.PART and not self.has_continued:
            self.has_continued = True
            with suppress(OSError):
                self.sock.send(CONTINUE)
        if progress is not Progress.PART:
            self._give()
        return progress

    def _give(self) -> None:
        """Put what has been gathered where the parser reads it."""
        self.buf.seek(0, 2)
        self.buf.write(self.gathering.received)
        self.gathering = Gathering()

    def chunk(self, *hint: Any) -> bytes:
        """Return the next bytes; a client that is too slow is as good as gone."""
        left = self.begun + self.seconds * (1 + self.received / MIB) - time.monotonic()
        given = self.sock.gettimeout()
        try:
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left if given is None else min(left, given))
            data: bytes = super().chunk(*hint)
        except TimeoutError as error:
            raise TimeoutError(errno.EPIPE, "the request comes too slowly") from error
        finally:
            self.sock.settimeout(given)
        self.received += len(data)
        return data
