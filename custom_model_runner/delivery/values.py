"""Values of runtime parameters: from a file, from a variable that is set, else the default of the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from custom_model_runner import logs, parameters, spelling
from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import FILE_NAME, entries
from custom_model_runner.metadata.entries import Entry
from custom_model_runner.metadata.kinds import members
from custom_model_runner.metadata.parameters import KEY, Definition, definitions


def variables(code_dir: Path, values_file: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set, so that every defined parameter has its value.

    Metadata that cannot be read defines nothing here: opening the folder says what is wrong with it.
    """
    given = {} if values_file is None else _values(values_file)
    if values_file is not None and not (code_dir / FILE_NAME).is_file():
        raise parameters.InvalidInputFilePath(f"{FILE_NAME} must exist to use runtime parameters; {code_dir} has none")
    try:
        defined = _definitions(code_dir)
    except LoadError:
        return {}
    if values_file is not None and not defined:
        raise parameters.InvalidYamlContent(
            f"{FILE_NAME} must contain at least one parameter definition ({KEY}) to use runtime parameters"
        )
    _tell_unknown(given, [definition.name for definition in defined])
    settled = {
        parameters.PREFIX + definition.name: _settle(definition, given.get(definition.name), environ, values_file)
        for definition in defined
    }
    return {name: value for name, value in settled.items() if value is not None}


def _definitions(code_dir: Path) -> tuple[Definition, ...]:
    path = code_dir / FILE_NAME
    root = members(entries.read(path)) if path.is_file() else {}
    return definitions(root[KEY]) if KEY in root else ()


def _values(name: str) -> Mapping[str, Entry]:
    """Return what the file of values holds, by name."""
    if not name:
        raise parameters.InvalidInputFilePath("Empty runtime parameter values file path!")
    path = Path(name)
    # It may be a pipe.
    if path.is_dir() or not path.exists():
        raise parameters.InvalidInputFilePath(f"The runtime parameter values file {name!r} is not there, or is no file")
    try:
        root = entries.read(path)
        if not root.value:
            raise parameters.InvalidEmptyYamlContent(f"The runtime parameter values YAML file is empty! {name!r}")
        return members(root)
    except LoadError as error:
        raise parameters.InvalidYamlContent(f"The runtime parameter values file cannot be used: {error}") from error


def _tell_unknown(given: Mapping[str, Entry], known: list[str]) -> None:
    for name, entry in given.items():
        if name not in known:
            logs.notice(
                f"{entry.file}:{entry.line}: the runtime parameter {name!r} is not defined in {FILE_NAME} "
                f"and is ignored; {spelling.hint(name, known)}"
            )


def _settle(
    definition: Definition, entry: Entry | None, environ: Mapping[str, str], values_file: str | None
) -> str | None:
    """Return the text of a parameter's variable, or None where the variable stays as it is."""
    if entry is None and environ.get(parameters.PREFIX + definition.name):
        return None
    value = definition.default if entry is None else _value(definition, entry)
    if value in (None, "") and not definition.allows_empty:
        raise parameters.ErrorLoadingRuntimeParameter(_required(definition, entry))
    # Without a file nobody has asked for parameters: user code that looks whether one is there finds what is.
    if value is None and values_file is None:
        return None
    return json.dumps({"type": definition.type, "payload": value})


def _value(definition: Definition, entry: Entry) -> Any:
    try:
        return definition.value(entry)
    except LoadError as error:
        raise parameters.ErrorLoadingRuntimeParameter(str(error)) from error


def _required(definition: Definition, entry: Entry | None) -> str:
    place = entry or definition.entry
    words = f"{place.file}:{place.line}: the runtime parameter {definition.name!r} is empty, which allowEmpty forbids"
    remedy = f"; give it in the file of --runtime-params-file, or set {parameters.PREFIX}{definition.name}"
    return words if entry else words + remedy
