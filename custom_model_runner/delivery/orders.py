"""Which files a folder is given from storage: read from a file or from variables, and checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_model_runner import credentials, plugins, spelling
from custom_model_runner.credentials import InvalidUserSecret, Secret
from custom_model_runner.errors import LoadError, UsageError
from custom_model_runner.metadata import entries
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import items, members, text, truth
from custom_model_runner.metadata.parameters import is_null

DATA = "MLOPS_LAZY_LOADING_DATA"
SECRETS = "MLOPS_REPOSITORY_SECRET_"


@dataclass(frozen=True)
class Repository:
    """A bucket, where it is, and who may read it; without an endpoint it is where its kind of storage is at home."""

    name: str
    bucket: str
    kind: str
    credential: Secret
    endpoint: str | None = None
    verifies_certificate: bool = True


@dataclass(frozen=True)
class File:
    """One file to fetch: its key in the bucket, and its path, which is inside the folder."""

    key: str
    path: Path
    repository: Repository


@dataclass(frozen=True)
class Order:
    """All files to fetch, and the texts in their credentials."""

    files: tuple[File, ...] = ()
    secrets: tuple[str, ...] = ()


def read(code_dir: Path, lazy_loading_file: str | None, environ: Mapping[str, str]) -> Order:
    """Return what is asked for by the file, else by the variable; what cannot be right is a usage error."""
    try:
        if lazy_loading_file is not None:
            return _order(_read_file(lazy_loading_file), code_dir, environ)
        given = environ.get(DATA)
        return _order(_read_variable(given), code_dir, environ) if given else Order()
    except (LoadError, InvalidUserSecret) as error:
        raise UsageError(str(error)) from error


def _read_file(name: str) -> Entry:
    """Return what a file holds, in YAML or JSON; only YAML knows its lines, and reads nearly all JSON."""
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"The lazy loading file {name!r} is not there, or is no file")
    try:
        return entries.read(path)
    except LoadError:
        try:
            return entries.of(json.loads(path.read_bytes()), path.name)
        except ValueError:
            pass
        raise


def _read_variable(given: str) -> Entry:
    try:
        return entries.of(json.loads(given), f"variable {DATA}")
    except ValueError as error:
        raise UsageError(f"variable {DATA}: does not hold JSON: {error}") from error


def _order(root: Entry, code_dir: Path, environ: Mapping[str, str]) -> Order:
    facts = _facts(root)
    given = _credentials(facts.get("credentials"), environ)
    repositories: dict[str, Repository] = {}
    for entry in _several(root, facts, "repositories"):
        repository = _repository(entry, given)
        if repository.name in repositories:
            raise entry.fault(f"the repository {repository.name!r} is given twice")
        repositories[repository.name] = repository
    files: dict[Path, File] = {}
    for entry in _several(root, facts, "files"):
        file = _file(entry, code_dir, repositories)
        if file.path in files:
            raise entry.fault(f"two files have the localPath {str(file.path.relative_to(code_dir))!r}")
        files[file.path] = file
    return Order(tuple(files.values()), tuple(credentials.hidden([given[name] for name in sorted(given)])))


def _facts(entry: Entry) -> dict[str, Entry]:
    """Return the entries of keys and values, by key in snake case; those without a value are left out."""
    return {credentials.snake(key): value for key, value in members(entry).items() if not is_null(value)}


def _several(root: Entry, facts: Mapping[str, Entry], key: str) -> tuple[Entry, ...]:
    found = items(facts[key]) if key in facts else ()
    if not found:
        raise root.fault(f"{key!r} must list at least one")
    return found


def _needed(entry: Entry, facts: Mapping[str, Entry], key: str) -> str:
    if key not in facts or not text(facts[key]):
        first, *rest = key.split("_")
        raise entry.fault(f"the key {first + ''.join(word.title() for word in rest)!r} is missing or empty")
    return text(facts[key])


def _credentials(listed: Entry | None, environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what is known of each credential, by its id in capitals; the file beats the variables."""
    found = {
        name.removeprefix(SECRETS).upper(): credentials.load(value, f"variable {name}")
        for name, value in environ.items()
        if name.startswith(SECRETS) and value
    }
    for entry in items(listed) if listed is not None else ():
        facts = _facts(entry)
        name = _needed(entry, facts, "id")
        found[name.upper()] = {key: value.plain() for key, value in facts.items() if key != "id"}
    return found


def _repository(entry: Entry, given: Mapping[str, dict[str, Any]]) -> Repository:
    facts = _facts(entry)
    credential_id = _needed(entry, facts, "credential_id")
    facts_of_credential = given.get(credential_id.upper())
    if facts_of_credential is None:
        raise entry.fault(f"the credential {credential_id!r} is not there: set {SECRETS}{credential_id.upper()}")
    credential = credentials.record(facts_of_credential, f"credential {credential_id}")
    kind = str(facts_of_credential["credential_type"]).lower()
    if kind not in plugins.STORAGES:
        known = " or ".join(plugins.STORAGES)
        raise entry.fault(f"files cannot be fetched with a credential of the type {kind!r}, expected: {known}")
    endpoint = text(facts["endpoint_url"]) if "endpoint_url" in facts else None
    if endpoint is not None and not endpoint.lower().startswith(("http://", "https://")):
        raise facts["endpoint_url"].fault(f"found {endpoint!r}, expected an address such as https://storage:9000")
    return Repository(
        name=_needed(entry, facts, "repository_id"),
        bucket=_needed(entry, facts, "bucket_name"),
        kind=kind,
        credential=credential,
        endpoint=endpoint,
        verifies_certificate=truth(facts["verify_certificate"]) if "verify_certificate" in facts else True,
    )


def _file(entry: Entry, code_dir: Path, repositories: Mapping[str, Repository]) -> File:
    facts = _facts(entry)
    name = _needed(entry, facts, "repository_id")
    if name not in repositories:
        raise facts["repository_id"].fault(f"unknown repository {name!r}; {spelling.hint(name, repositories)}")
    local = _needed(entry, facts, "local_path")
    # A link in the folder may lead out of it; the last part is replaced and not followed.
    path = Path(os.path.normpath(code_dir / local))
    path = path.parent.resolve() / path.name
    if path == code_dir or not path.is_relative_to(code_dir):
        raise facts["local_path"].fault(f"found {local!r}, which is not inside the code directory")
    return File(_needed(entry, facts, "remote_path"), path, repositories[name])
