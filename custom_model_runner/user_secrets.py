"""User secrets: a read-only view for user code.

A secret NAME is the file NAME in the folder that `USER_SECRETS_MOUNT_PATH` names, else the variable
`<USER_SECRETS_PREFIX>_NAME`; both hold the JSON of a credential. The process environment is the storage itself, as
for runtime parameters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from custom_model_runner import credentials
from custom_model_runner.credentials import InvalidUserSecret, Secret

MOUNT_PATH = "USER_SECRETS_MOUNT_PATH"
PREFIX = "USER_SECRETS_PREFIX"


def texts(mount_path: str | None, prefix: str | None, environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return every secret's text by name, each with where it comes from; a file beats a variable."""
    found: dict[str, tuple[str, str]] = {}
    if prefix:
        start = f"{prefix}_"
        for variable, text in environ.items():
            if variable.startswith(start) and variable != start:
                found[variable.removeprefix(start)] = (text, f"variable {variable}")
    for path in _files(mount_path):
        found[path.name] = (_read(path), f"user secret {path}")
    return found


def _files(mount_path: str | None) -> list[Path]:
    """Return the secrets in the mount, which need not be there; what is hidden is the mount's own affair."""
    if not mount_path or not os.path.lexists(mount_path):
        return []
    try:
        return sorted(path for path in Path(mount_path).iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise InvalidUserSecret(f"The user secrets in {mount_path!r} cannot be listed: {error.strerror}") from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidUserSecret(f"user secret {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidUserSecret(f"user secret {path}: is not UTF-8 text") from error


class UserSecrets:
    """Read the secrets that were given to the running model."""

    @staticmethod
    def has(name: str) -> bool:
        """Say whether there is a secret of this name."""
        return name in _given()

    @staticmethod
    def get(name: str) -> Secret:
        """Return a secret; raise ValueError when there is none or its text is no secret."""
        given = _given()
        if name not in given:
            raise InvalidUserSecret(f"There is no user secret {name!r}")
        return credentials.parse(*given[name])


def _given() -> dict[str, tuple[str, str]]:
    return texts(os.environ.get(MOUNT_PATH), os.environ.get(PREFIX), os.environ)
