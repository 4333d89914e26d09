"""The checks that a folder's metadata asks for: strict, or only logged."""

from __future__ import annotations

import logging
from functools import partial

import pandas as pd
import pytest

from custom_model_runner import schema
from custom_model_runner.data import input_schema
from custom_model_runner.data.typeschema import Requirement
from custom_model_runner.errors import SchemaError
from custom_model_runner.metadata import Metadata
from custom_model_runner.target_type import TargetType

NUMBERS = (Requirement("data_types", "EQUALS", ("NUM",)),)
GOOD = pd.DataFrame({"a": [1, 2]})
BAD = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
FOUND = "data_types EQUALS NUM is required, found CAT in column 'b', row 1"


@pytest.mark.parametrize(
    ("metadata", "side"),
    [(Metadata(input_requirements=NUMBERS), "input"), (Metadata(output_requirements=NUMBERS), "output")],
)
def test_a_table_that_breaks_the_schema_is_an_error_and_another_passes(metadata: Metadata, side: str) -> None:
    check_in = partial(schema.check_in, kind=TargetType.TRANSFORM)
    make = partial(check_in if side == "input" else schema.check_out, is_strict=True)
    check = make(metadata)
    assert check is not None
    assert check(GOOD) is GOOD
    with pytest.raises(SchemaError) as caught:
        check(BAD)
    assert str(caught.value) == (
        f"Schema validation found mismatch between {side} dataset and the supplied schema: {FOUND}"
    )


def test_a_check_that_is_not_strict_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    check = schema.check_in(Metadata(input_requirements=NUMBERS), TargetType.BINARY, is_strict=False)
    assert check is not None
    with caplog.at_level(logging.WARNING, "drum.schema"):
        assert check(BAD) is BAD
    assert [record.message.partition(": ")[2] for record in caplog.records] == [FOUND]


def test_nothing_is_checked_that_the_metadata_does_not_ask_for() -> None:
    assert schema.check_in(Metadata(output_requirements=NUMBERS), TargetType.TRANSFORM, is_strict=True) is None
    assert schema.check_out(Metadata(input_requirements=NUMBERS), is_strict=True) is None


COLUMNS = input_schema.build(
    {"properties": {"a": {"type": "integer"}, "t": {"type": "string"}}, "required": ["a"], "extraColumns": "drop"}
)


def test_the_columns_of_a_schema_are_checked_and_the_others_dropped_before_their_types_are_looked_at() -> None:
    check = schema.check_in(
        Metadata(input_schema=COLUMNS, input_requirements=NUMBERS), TargetType.REGRESSION, is_strict=True
    )
    assert check is not None
    assert check(BAD).columns.tolist() == ["a"]
    with pytest.raises(
        SchemaError, match=r"column 'a' is missing; data_types EQUALS NUM is required, found CAT in colu"
    ):
        check(pd.DataFrame({"t": ["x"]}))


def test_columns_are_dropped_even_if_nothing_is_enforced() -> None:
    check = schema.check_in(Metadata(input_schema=COLUMNS), TargetType.REGRESSION, is_strict=False)
    assert check is not None
    assert check(pd.DataFrame({"t": ["x"], "b": [1]})).columns.tolist() == ["t"]


def test_columns_that_are_text_are_told_to_the_reader() -> None:
    metadata = Metadata(input_schema=COLUMNS)
    assert schema.text_columns(metadata, TargetType.REGRESSION) == {"t"}
    assert schema.text_columns(Metadata(), TargetType.REGRESSION) == frozenset()


def test_the_schema_of_an_agent_is_no_schema_of_a_table() -> None:
    metadata = Metadata(input_schema=COLUMNS)
    assert schema.check_in(metadata, TargetType.AGENTIC_WORKFLOW, is_strict=True) is None
    assert schema.text_columns(metadata, TargetType.AGENTIC_WORKFLOW) == frozenset()
