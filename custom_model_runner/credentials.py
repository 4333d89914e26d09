"""Credentials as frozen records: what is in a secret of each type, and which of it must never be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from custom_model_runner import spelling

MASK = "*****"
CONFIGURATIONS = ("config_id", "oauth_config_id", "google_config_id")
# What stands under these keys tells which secret it is, and is none itself.
OPEN_KEYS = frozenset({"credential_type", "type", *CONFIGURATIONS})


class InvalidUserSecret(ValueError):
    """A user secret is not there, or is not what its type promises; the message holds nothing of it."""


@dataclass(frozen=True, repr=False)
class Secret:
    """A credential; its text form masks every text in it."""

    def is_partial_secret(self) -> bool:
        """Say whether the rest of the secret is kept elsewhere, under the id of a configuration."""
        return any(getattr(self, name, None) for name in CONFIGURATIONS)

    def __repr__(self) -> str:
        shown = (f"{field.name}={_masked(getattr(self, field.name))!r}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"


def _masked(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float)) else MASK


@dataclass(frozen=True, repr=False)
class BasicSecret(Secret):
    """A name and a password."""

    username: str
    password: str
    snowflake_account_name: str | None = None


@dataclass(frozen=True, repr=False)
class OauthSecret(Secret):
    """A token and the one that renews it."""

    token: str
    refresh_token: str


@dataclass(frozen=True, repr=False)
class GCPSecret(Secret):
    """A service account of Google Cloud."""

    gcp_key: Mapping[str, Any] | str | None = None
    google_config_id: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class S3Secret(Secret):
    """Access to S3 and to what speaks like it."""

    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class AzureSecret(Secret):
    """A connection string of Azure storage."""

    azure_connection_string: str


@dataclass(frozen=True, repr=False)
class AzureServicePrincipalSecret(Secret):
    """A service principal of Azure."""

    client_id: str | None = None
    client_secret: str | None = None
    azure_tenant_id: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class SnowflakeOauthUserAccountSecret(Secret):
    """An OAuth client of Snowflake."""

    client_id: str | None = None
    client_secret: str | None = None
    snowflake_account_name: str | None = None
    oauth_issuer_type: str | None = None
    oauth_issuer_url: str | None = None
    oauth_scopes: str | None = None
    oauth_config_id: str | None = None


@dataclass(frozen=True, repr=False)
class SnowflakeKeyPairUserAccountSecret(Secret):
    """A user of Snowflake with a private key."""

    username: str | None = None
    private_key_str: str | None = None
    passphrase: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class AdlsGen2OauthSecret(Secret):
    """An OAuth client of Azure Data Lake Storage."""

    client_id: str | None = None
    client_secret: str | None = None
    oauth_scopes: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class TableauAccessTokenSecret(Secret):
    """A named personal access token of Tableau."""

    token_name: str | None = None
    personal_access_token: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class DatabricksAccessTokenSecret(Secret):
    """An access token of Databricks."""

    databricks_access_token: str | None = None
    config_id: str | None = None


@dataclass(frozen=True, repr=False)
class ApiTokenSecret(Secret):
    """A token of any service."""

    api_token: str
    config_id: str | None = None


TYPES: Mapping[str, type[Secret]] = {
    "basic": BasicSecret,
    "oauth": OauthSecret,
    "gcp": GCPSecret,
    "s3": S3Secret,
    "azure": AzureSecret,
    "azure_service_principal": AzureServicePrincipalSecret,
    "snowflake_oauth_user_account": SnowflakeOauthUserAccountSecret,
    "snowflake_key_pair_user_account": SnowflakeKeyPairUserAccountSecret,
    "adls_gen2_oauth": AdlsGen2OauthSecret,
    "tableau_access_token": TableauAccessTokenSecret,
    "databricks_access_token_account": DatabricksAccessTokenSecret,
    "api_token": ApiTokenSecret,
}


def snake(key: str) -> str:
    """Return a key such as `credentialType` as `credential_type`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def parse(text: str, origin: str) -> Secret:
    """Return the record of a secret's JSON text; `origin` names the file or the variable in messages."""
    return record(load(text, origin), origin)


def record(given: Mapping[str, Any], origin: str) -> Secret:
    """Return the record of what a secret holds, its keys in snake case."""
    kind = given.get("credential_type")
    if not isinstance(kind, str):
        raise InvalidUserSecret(f"{origin}: the key 'credential_type' is missing, or is no text")
    known = TYPES.get(kind.lower())
    if known is None:
        raise InvalidUserSecret(f"{origin}: unknown credential_type {kind!r}; {spelling.hint(kind, TYPES)}")
    missing = [field.name for field in fields(known) if field.default is MISSING and field.name not in given]
    if missing:
        raise InvalidUserSecret(f"{origin}: a secret of the type {kind!r} needs the key(s) {', '.join(missing)}")
    return known(**{field.name: given[field.name] for field in fields(known) if field.name in given})


def load(text: str, origin: str) -> dict[str, Any]:
    """Return what a secret's JSON text holds, its keys in snake case."""
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidUserSecret(f"{origin}: does not hold JSON: {error.msg} in line {error.lineno}") from error
    if not isinstance(given, dict):
        raise InvalidUserSecret(f"{origin}: holds a JSON {type(given).__name__}, expected an object")
    return {snake(key): value for key, value in given.items()}


def hidden(value: Any) -> Iterator[str]:
    """Yield every text in a secret, in texts that are JSON themselves too; the names of types and keys are none."""
    if isinstance(value, str):
        yield value
        yield from hidden(_inner(value))
    elif isinstance(value, list):
        for item in value:
            yield from hidden(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if snake(str(key)) not in OPEN_KEYS:
                yield from hidden(item)


def _inner(text: str) -> Any:
    """Return the object that a text holds as JSON, as keys of service accounts do; else None."""
    try:
        return json.loads(text) if text.lstrip().startswith("{") else None
    except ValueError:
        return None
