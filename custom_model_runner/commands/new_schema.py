"""`drum new schema`: the `inputSchema` that a sample of a table holds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from custom_model_runner import logs
from custom_model_runner.batch import sinks, sources
from custom_model_runner.data import input_schema, tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import EXIT_OK, InputError, LoadError, UsageError
from custom_model_runner.metadata import FILE_NAME, entries, record, written
from custom_model_runner.settings import LogSettings, NewSchemaSettings


def run(new: NewSchemaSettings, log: LogSettings) -> int:
    """Infer the schema and print it, or write it where the settings say."""
    if new.output is not None and new.code_dir is not None:
        raise UsageError("Give --output or --code-dir, not both")
    output = sinks.choose(new.output, new.input)
    path = _metadata_file(new.code_dir) if new.code_dir else None
    text = _inferred(new.input)
    if path is None:
        sinks.emit(output, text.encode(), stdout=sys.stdout.fileno())
    else:
        sinks.write(path, _appended(path, text).encode())
        logs.notice(f"inputSchema appended to {path}")
    return EXIT_OK


def _inferred(source: str) -> str:
    limit = sources.limit_of(None)
    data, name = sources.read_decoded(source, limit)
    payload = Payload(data, tables.media_type_of(name), limit=limit)
    table = tables.read(payload)
    if table.empty:
        raise InputError("The sample has no rows, so the types of its columns cannot be told")
    raw = input_schema.infer(table)
    # What is text will be read as text: its missing values may differ from those of a column of unknown type.
    as_text = tables.read(replace(payload, text_columns=frozenset(map(str, table.columns))))
    texts = input_schema.build(raw).text_columns | input_schema.codes(as_text)
    raw = input_schema.infer(tables.read(replace(payload, text_columns=texts)))
    return written.input_schema(raw, source=Path(name).name, rows=len(table))


def _metadata_file(folder: Path) -> Path:
    """Return the file to append to, which must be there and have no such schema yet."""
    current = record.read(folder)
    if current is None:
        raise UsageError(f"--code-dir: {str(folder)!r} has no {FILE_NAME}; without --code-dir the schema is printed")
    if current.input_schema is not None:
        raise UsageError(f"--code-dir: {FILE_NAME} has an inputSchema already: take it out, or leave out --code-dir")
    return folder / FILE_NAME


def _appended(path: Path, text: str) -> str:
    """Return what the file holds and the schema behind it, if that is metadata again."""
    whole = f"{path.read_text(encoding='utf-8').rstrip()}\n\n{text}"
    try:
        record.build(entries.parse(whole, path.name), path.parent)
    except LoadError as error:
        raise UsageError(
            f"--code-dir: nothing can be appended to {path.name} ({error}); without --code-dir the schema is printed"
        ) from error
    return whole
