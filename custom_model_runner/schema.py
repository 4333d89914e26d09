"""The checks of tables that a folder's metadata asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from custom_model_runner.data import typeschema
from custom_model_runner.errors import SchemaError
from custom_model_runner.metadata import Metadata

if TYPE_CHECKING:
    import pandas as pd

LOG = logging.getLogger("drum.schema")

# Takes a table and returns the table to go on with.
Check = Callable[["pd.DataFrame"], "pd.DataFrame"]


def check_in(metadata: Metadata, *, is_strict: bool) -> Check | None:
    """Return the check of the tables that are read, or None where the metadata asks for none."""
    requirements = metadata.input_requirements
    if not requirements:
        return None

    def check(table: pd.DataFrame) -> pd.DataFrame:
        _complain(typeschema.mismatches(table, requirements), "input", is_strict=is_strict)
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


def _complain(mismatches: list[str], side: str, *, is_strict: bool) -> None:
    """Raise for mismatches, or only log them."""
    if not mismatches:
        return
    # Users' scripts look for these words.
    words = f"Schema validation found mismatch between {side} dataset and the supplied schema: {'. '.join(mismatches)}"
    if is_strict:
        raise SchemaError(words)
    LOG.warning("%s", words)
