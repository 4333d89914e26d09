"""The checks that a folder's metadata asks for: strict, or only logged."""

from __future__ import annotations

import logging

import pandas as pd
import pytest

from custom_model_runner import schema
from custom_model_runner.data.typeschema import Requirement
from custom_model_runner.errors import SchemaError
from custom_model_runner.metadata import Metadata

NUMBERS = (Requirement("data_types", "EQUALS", ("NUM",)),)
GOOD = pd.DataFrame({"a": [1, 2]})
BAD = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
FOUND = "data_types EQUALS NUM is required, found CAT in column 'b', row 1"


@pytest.mark.parametrize(
    ("metadata", "side"),
    [(Metadata(input_requirements=NUMBERS), "input"), (Metadata(output_requirements=NUMBERS), "output")],
)
def test_a_table_that_breaks_the_schema_is_an_error_and_another_passes(metadata: Metadata, side: str) -> None:
    make = schema.check_in if side == "input" else schema.check_out
    check = make(metadata, is_strict=True)
    assert check is not None
    assert check(GOOD) is GOOD
    with pytest.raises(SchemaError) as caught:
        check(BAD)
    assert str(caught.value) == (
        f"Schema validation found mismatch between {side} dataset and the supplied schema: {FOUND}"
    )


def test_a_check_that_is_not_strict_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    check = schema.check_in(Metadata(input_requirements=NUMBERS), is_strict=False)
    assert check is not None
    with caplog.at_level(logging.WARNING, "drum.schema"):
        assert check(BAD) is BAD
    assert [record.message.partition(": ")[2] for record in caplog.records] == [FOUND]


def test_nothing_is_checked_that_the_metadata_does_not_ask_for() -> None:
    assert schema.check_in(Metadata(output_requirements=NUMBERS), is_strict=True) is None
    assert schema.check_out(Metadata(input_requirements=NUMBERS), is_strict=True) is None
