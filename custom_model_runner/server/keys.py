"""API keys: whoever sends none that is valid gets no further."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, request

from custom_model_runner import api_keys
from custom_model_runner.errors import Unauthorized, UsageError
from custom_model_runner.settings import ServerSettings

LOG = logging.getLogger("drum.server")
# A change of the file may go unnoticed for so long; a request costs no look at it meanwhile.
SECONDS_BETWEEN_LOOKS = 1.0
# As the keys of a WSGI environment.
AUTHORIZATION, X_API_KEY = "HTTP_AUTHORIZATION", "HTTP_X_API_KEY"


@dataclass
class Keyring:
    """The keys that are valid now; only their digests are kept.

    A file that can no longer be used is logged, and its last keys stay valid: it may be about to be written.
    """

    path: Path | None
    fixed: tuple[bytes, ...] = ()
    clock: Callable[[], float] = time.monotonic
    _from_file: tuple[bytes, ...] = ()
    _seen: object = "nothing"
    _next_look: float = field(default=float("-inf"))

    def accepts(self, key: str) -> bool:
        """Say whether a key is valid, in a time that does not tell how nearly it is."""
        self._look()
        digest = _digest(key)
        return sum([hmac.compare_digest(digest, valid) for valid in (*self.fixed, *self._from_file)]) > 0

    def _look(self) -> None:
        """Read the file if it is another than before, and if it was not looked at just now."""
        now = self.clock()
        if self.path is None or now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        if _mark(self.path) == self._seen:
            return
        try:
            self.read(self.path)
        except ValueError as error:
            LOG.error("%s; the keys that were valid stay so", error)

    def read(self, path: Path) -> None:
        """Take the keys of a file; one that cannot be used is a ValueError, and leaves the keys as they are."""
        self._seen = _mark(path)
        self._from_file = _digests(api_keys.read(path))


def open_keyring(settings: ServerSettings) -> Keyring | None:
    """Return the keys of a server, or None where everybody may ask; a file that cannot be used is a usage error."""
    if settings.api_key_file is None and not settings.api_keys:
        return None
    keyring = Keyring(settings.api_key_file, _digests(settings.api_keys))
    if keyring.path is not None:
        try:
            keyring.read(keyring.path)
        except ValueError as error:
            raise UsageError(f"--api-key-file: {error}") from error
    return keyring


def ask_for(app: Flask, keyring: Keyring, *, exempt: frozenset[str]) -> None:
    """Let an application refuse requests without a valid key, except those for exempt endpoints.

    No code behind it sees the headers that hold a valid key.
    """

    @app.before_request
    def check() -> None:
        if request.endpoint in exempt:
            return
        sent = list(_sent())
        valid = [header for header, key in sent if keyring.accepts(key)]
        for header in valid:
            del request.environ[header]
        if valid:
            return
        found = "The API key is not valid" if sent else "There is no API key in the request"
        raise Unauthorized(f"{found}, expected one as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'")


def _sent() -> Iterator[tuple[str, str]]:
    """Yield each key of the request that is served, and the header that holds it."""
    scheme, _, key = request.environ.get(AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        yield AUTHORIZATION, key.strip()
    if X_API_KEY in request.environ:
        yield X_API_KEY, request.environ[X_API_KEY].strip()


def _mark(path: Path) -> object:
    """Return what differs when a file has been changed or replaced, None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _digests(keys: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(_digest(key) for key in keys)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
