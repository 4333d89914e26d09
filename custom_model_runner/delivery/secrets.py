"""Secrets that a folder is given: checked before anything runs, and collected to be kept out of the output."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from custom_model_runner import credentials, parameters, user_secrets
from custom_model_runner.delivery import orders
from custom_model_runner.errors import UsageError
from custom_model_runner.settings import DeliverySettings


def variables(settings: DeliverySettings) -> dict[str, str]:
    """Return the variables that lead user code to its secrets."""
    mount, prefix = settings.user_secrets_mount_path, settings.user_secrets_prefix
    # User code may change the directory.
    given = {user_secrets.MOUNT_PATH: mount and os.path.abspath(mount), user_secrets.PREFIX: prefix}
    return {name: value for name, value in given.items() if value}


def hidden(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return every text that must not be shown; a user secret that cannot be used is a usage error."""
    return tuple(dict.fromkeys([*_user_secrets(environ), *_credentials(environ)]))


def _user_secrets(environ: Mapping[str, str]) -> Iterator[str]:
    mount, prefix = environ.get(user_secrets.MOUNT_PATH), environ.get(user_secrets.PREFIX)
    try:
        for text, origin in user_secrets.texts(mount, prefix, environ).values():
            credentials.parse(text, origin)
            yield from credentials.hidden(json.loads(text))
    except credentials.InvalidUserSecret as error:
        raise UsageError(str(error)) from error


def _credentials(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is secret in runtime parameters and for storage; who asks for a broken one is told."""
    for name, text in environ.items():
        if name.startswith(parameters.PREFIX):
            yield from credentials.hidden(_payload(text))
        elif name.startswith(orders.SECRETS):
            yield from credentials.hidden(_json(text))


def _payload(text: str) -> Any:
    """Return the payload of a credential's text; other parameters are no secrets."""
    parameter = _json(text)
    is_credential = isinstance(parameter, dict) and parameter.get("type") == "credential"
    return parameter.get("payload") if is_credential else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
