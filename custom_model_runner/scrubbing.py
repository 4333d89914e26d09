"""Secrets kept out of what the process says: its standard streams, its log records, its error messages."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, BinaryIO, TextIO
from urllib.parse import quote

from custom_model_runner import border
from custom_model_runner.credentials import MASK
from custom_model_runner.errors import UserCodeError

# A shorter text would be found in innocent words; nobody should use one as a secret.
SHORTEST = 6


def words(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the texts to look for, longest first: each line of each secret, as it is and as it may be quoted."""
    lines = {line.strip() for secret in secrets for line in secret.splitlines()}
    found = {form for line in lines if len(line) >= SHORTEST for form in _forms(line)}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def _forms(line: str) -> set[str]:
    in_json = {json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1]}
    # In a message of one line, several blanks are one.
    return {line, " ".join(line.split()), repr(line)[1:-1], quote(line, safe=""), quote(line), *in_json}


def scrubber(hidden: Sequence[str]) -> Callable[[str], str]:
    """Return the function that replaces every one of these words in a text by the mask."""
    if not hidden:
        return str
    pattern = re.compile("|".join(map(re.escape, hidden)))
    return lambda text: pattern.sub(MASK, text)


class ScrubbedBytes(io.BufferedIOBase):
    """A binary stream that hands everything on but the words.

    The end of a line that may be the beginning of a word is held back until more is written, or `release`.
    """

    def __init__(self, stream: BinaryIO, hidden: Sequence[bytes]) -> None:
        self._stream = stream
        self._hidden = sorted(hidden)
        self._longest = max(map(len, hidden))
        self._pattern = re.compile(b"|".join(map(re.escape, hidden)))
        self._begins = re.compile(b"[" + re.escape(bytes({word[0] for word in hidden})) + b"]")
        self._held = b""
        self._lock = threading.RLock()

    @property
    def name(self) -> Any:
        """The name of the stream beneath."""
        return self._stream.name

    def writable(self) -> bool:
        """Say that this is a stream to write to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the stream beneath; what is written to it directly is not scrubbed."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Say whether a person reads along."""
        return self._stream.isatty()

    def write(self, data: Any, /) -> int:
        """Hand on what is known to be no secret."""
        given = bytes(data)
        with self._lock:
            self._stream.write(self._clean(self._held + given))
        return len(given)

    def _clean(self, data: bytes) -> bytes:
        """Return what may be written of the data, and hold back the rest."""
        done, position = [], 0
        while True:
            # A short word may be the beginning of a longer one, so what is in doubt is not looked at yet.
            doubt = len(data) - self._doubtful(data[position:])
            match = self._pattern.search(data, position)
            if match is None or match.start() >= doubt:
                break
            done += [data[position : match.start()], MASK.encode()]
            position = match.end()
        self._held = data[doubt:]
        return b"".join([*done, data[position:doubt]])

    def _doubtful(self, data: bytes) -> int:
        """Return the length of the longest end of the data that a word begins with."""
        tail = data[max(data.rfind(b"\n") + 1, len(data) - self._longest) :]
        ends = (tail[match.start() :] for match in self._begins.finditer(tail))
        return next((len(end) for end in ends if self._is_begun(end)), 0)

    def _is_begun(self, end: bytes) -> bool:
        """Say whether a longer word begins so: in order, such words stand right behind what they begin with."""
        at = bisect_right(self._hidden, end)
        return at < len(self._hidden) and self._hidden[at].startswith(end)

    def flush(self) -> None:
        """Flush the stream beneath; what is held back stays so, or a word could leave in two parts."""
        if not self._stream.closed:
            self._stream.flush()

    def release(self) -> None:
        """Write what is held back: nothing more will follow."""
        with self._lock:
            self._stream.write(self._pattern.sub(MASK.encode(), self._held))
            self._held = b""
            self._stream.flush()

    def renew_lock(self) -> None:
        """Forget who was writing when this process was forked."""
        self._lock = threading.RLock()


def install(secrets: Iterable[str]) -> Callable[[], None]:
    """Keep secrets out of the standard streams and of log records, until the returned function is called.

    What libraries in C and other processes write is not seen.
    """
    hidden = words(secrets)
    if not hidden:
        return lambda: None
    with ExitStack() as stack:
        stack.callback(_scrub_stream("stdout", hidden))
        stack.callback(_scrub_stream("stderr", hidden))
        stack.callback(_scrub_records(scrubber(hidden)))
        return stack.pop_all().close


def _scrub_stream(name: str, hidden: Sequence[str]) -> Callable[[], None]:
    stream: TextIO = getattr(sys, name)
    if not isinstance(stream, io.TextIOWrapper):
        return lambda: None
    stream.flush()
    beneath = ScrubbedBytes(stream.buffer, _encoded(hidden, stream))
    scrubbed = io.TextIOWrapper(
        beneath,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    setattr(sys, name, scrubbed)
    os.register_at_fork(after_in_child=beneath.renew_lock)

    def remove() -> None:
        with suppress(OSError, ValueError):
            scrubbed.flush()
            beneath.release()
        if getattr(sys, name) is scrubbed:
            setattr(sys, name, stream)

    return remove


def _encoded(hidden: Sequence[str], stream: io.TextIOWrapper) -> tuple[bytes, ...]:
    """Return the words as the stream writes them; one that it cannot write cannot be in it."""
    found = []
    for word in hidden:
        with suppress(UnicodeEncodeError):
            found.append(word.encode(stream.encoding, stream.errors or "strict"))
    return tuple(found)


def _scrub_records(scrub: Callable[[str], str]) -> Callable[[], None]:
    make = logging.getLogRecordFactory()

    def make_scrubbed(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        _scrub_record(record, scrub)
        return record

    logging.setLogRecordFactory(make_scrubbed)
    return lambda: logging.setLogRecordFactory(make)


def _scrub_record(record: logging.LogRecord, scrub: Callable[[str], str]) -> None:
    try:
        text = border.call(record.getMessage, failing="A log record cannot be written.")
    except UserCodeError:
        # logging says so itself, when it comes to write it.
        return
    clean = scrub(text)
    if clean != text:
        record.msg, record.args = clean, ()
    if record.exc_info and record.exc_info[0]:
        trace = logging.Formatter().formatException(record.exc_info)
        clean = scrub(trace)
        if clean != trace:
            record.exc_text = clean
