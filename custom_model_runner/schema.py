"""The checks of tables that a folder's metadata asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from custom_model_runner.data import input_schema, typeschema
from custom_model_runner.data.input_schema import InputSchema
from custom_model_runner.errors import Pieces, SchemaError, listed
from custom_model_runner.metadata import Metadata
from custom_model_runner.target_type import TargetType

if TYPE_CHECKING:
    import pandas as pd

LOG = logging.getLogger("drum.schema")

# Takes a table and returns the table to go on with.
Check = Callable[["pd.DataFrame"], "pd.DataFrame"]


def of_inputs(metadata: Metadata, kind: TargetType) -> InputSchema | None:
    """Return the columns that the metadata declares; those of an agent are arguments, and no columns of a table."""
    return None if kind is TargetType.AGENTIC_WORKFLOW else metadata.input_schema


def text_columns(metadata: Metadata, kind: TargetType) -> frozenset[str]:
    """Return the columns that are read as text, also by formats that have no types."""
    columns = of_inputs(metadata, kind)
    return frozenset() if columns is None else columns.text_columns


def check_in(metadata: Metadata, kind: TargetType, *, is_strict: bool) -> Check | None:
    """Return the check of the tables that are read, or None where the metadata asks for none."""
    requirements, columns = metadata.input_requirements, of_inputs(metadata, kind)
    if not requirements and columns is None:
        return None

    def check(table: pd.DataFrame) -> pd.DataFrame:
        found = []
        if columns is not None:
            found = input_schema.mismatches(table, columns)
            table = input_schema.select(table, columns)
        _complain(found + typeschema.mismatches(table, requirements), "input", is_strict=is_strict)
        return table

    return check


def check_out(metadata: Metadata, *, is_strict: bool) -> Check | None:
    """Return the check of transformed tables, or None where the metadata asks for none."""
    requirements = metadata.output_requirements
    if not requirements:
        return None

    def check(table: pd.DataFrame) -> pd.DataFrame:
        _complain(typeschema.mismatches(table, requirements), "output", is_strict=is_strict)
        return table

    return check


def _complain(mismatches: list[Pieces], side: str, *, is_strict: bool) -> None:
    """Raise for mismatches, or only log them."""
    if not mismatches:
        return
    # Users' scripts look for these words.
    words = f"Schema validation found mismatch between {side} dataset and the supplied schema: "
    error = SchemaError(words, *listed(mismatches))
    if is_strict:
        raise error
    LOG.warning("%s", error)
