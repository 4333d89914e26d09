"""Addresses of files that are in no file system of this machine, such as `s3://bucket/rows.csv`."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
# What follows the path of these may be a key to it.
WEB = frozenset({"http", "https"})


@dataclass(frozen=True)
class Address:
    """Where a file is to be written; its text form holds no secret."""

    url: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return file_name(self.url)

    def with_name(self, name: str) -> Address:
        """Return the address of a file beside it."""
        before, path, after = _parts(self.url)
        return Address(f"{before}{path.removesuffix(self.name)}{name}{after}")

    @property
    def is_of_file(self) -> bool:
        """Whether it has a name, and is not that of a bucket, a server or a folder."""
        return bool(_parts(self.url)[1]) and not self.url.endswith("/")

    def __str__(self) -> str:
        return shown(self.url)


def scheme_of(text: str) -> str | None:
    """Return the scheme of an address in lower case, None for the name of a local file."""
    found = SCHEME.match(text)
    return found[1].lower() if found else None


def file_name(text: str) -> str:
    """Return the last part of the path of a file, local or not, in which its suffixes are."""
    path = text if scheme_of(text) is None else _parts(text)[1]
    return path.rstrip("/").rpartition("/")[2]


def _parts(address: str) -> tuple[str, str, str]:
    """Return what is before the path of an address, the path without its first slash, and what is behind it."""
    place, slash, rest = address.partition("://")[2].partition("/")
    path, mark, query = rest.partition("?") if scheme_of(address) in WEB else (rest, "", "")
    return f"{address.partition('://')[0]}://{place}{slash}", path, f"{mark}{query}"


def shown(text: str) -> str:
    """Return a name without what may be secret in it: user, password, and what signs the address of a web server."""
    if scheme_of(text) not in WEB:
        return text
    before, path, _ = _parts(text)
    scheme, _, server = before.partition("://")
    return f"{scheme}://{server.rpartition('@')[2]}{path}"
