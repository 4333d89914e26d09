"""`model-metadata.yaml` as a frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from custom_model_runner.data import input_schema
from custom_model_runner.data.input_schema import InputSchema
from custom_model_runner.data.target import Declared
from custom_model_runner.data.typeschema import Requirement
from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import declared, entries, hyperparameters, type_schema
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.keys import METADATA
from custom_model_runner.metadata.kinds import members

FILE_NAME = "model-metadata.yaml"


@dataclass(frozen=True)
class Metadata:
    """The checked file: the target, the runner's switches, defaults of hyperparameters, and all values by key."""

    declared: Declared = field(default_factory=Declared)
    is_thread_safe: bool | None = None
    is_fork_safe: bool | None = None
    input_schema: InputSchema | None = None
    input_requirements: tuple[Requirement, ...] = ()
    output_requirements: tuple[Requirement, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def read(folder: Path) -> Metadata | None:
    """Return the folder's metadata, or None where there is no such file; any fault in it is a load error."""
    path = folder / FILE_NAME
    misspelt = path.with_suffix(".yml")
    if misspelt.is_file() and not path.exists():
        raise LoadError(f"{misspelt.name} is not read: rename it to {FILE_NAME}")
    if not path.is_file():
        return None
    return build(entries.read(path), folder)


def build(root: Entry, folder: Path) -> Metadata:
    """Return the metadata that a file of the folder holds."""
    raw = METADATA(root)
    target, runner, schema = declared.read(root, raw, folder), raw.get("runner", {}), raw.get("typeSchema", {})
    type_schema.refuse_outputs(members(root).get("typeSchema"), target.type)
    return Metadata(
        declared=target,
        is_thread_safe=runner.get("threadSafe"),
        is_fork_safe=runner.get("forkSafe"),
        input_schema=input_schema.build(raw["inputSchema"]) if "inputSchema" in raw else None,
        input_requirements=type_schema.requirements(schema, type_schema.INPUT),
        output_requirements=type_schema.requirements(schema, type_schema.OUTPUT),
        hyperparameters=MappingProxyType(hyperparameters.defaults(raw.get("hyperparameters", []))),
        raw=MappingProxyType(raw),
    )
