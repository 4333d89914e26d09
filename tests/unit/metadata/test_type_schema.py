"""`typeSchema` in the metadata: which requirements there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_model_runner import metadata
from custom_model_runner.data.typeschema import Requirement
from custom_model_runner.errors import LoadError, RunnerError, SchemaError

from ..folders import plant


def read(folder: Path, *requirements: str, side: str = "input", kind: str = "transform") -> metadata.Metadata:
    lines = "".join(f"    - {one}\n" for one in requirements)
    text = f"name: a\ntype: training\ntargetType: {kind}\ntypeSchema:\n  {side}_requirements:\n{lines}"
    found = metadata.read(plant(folder, {metadata.FILE_NAME: text}))
    assert found is not None
    return found


def one(field: str, condition: str, value: str) -> str:
    return f"{{field: {field}, condition: {condition}, value: {value}}}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("data_types", "IN", "[NUM, CAT]"), ("NUM", "CAT")),
        (("data_types", "NOT_EQUALS", "DATE_DURATION"), ("DATE_DURATION",)),
        (("sparse", "EQUALS", "REQUIRED"), ("REQUIRED",)),
        (("number_of_columns", "NOT_IN", "[0, 7]"), (0, 7)),
        (("number_of_columns", "GREATER_THAN", "0"), (0,)),
        (("number_of_columns", "EQUALS", "[3]"), (3,)),
        (("contains_missing", "EQUALS", "SUPPORTED"), ("SUPPORTED",)),
    ],
)
def test_a_requirement_of_inputs_is_read(
    tmp_path: Path, written: tuple[str, str, str], expected: tuple[str | int, ...]
) -> None:
    found = read(tmp_path, one(*written))
    assert (found.input_requirements, found.output_requirements) == (
        (Requirement(written[0], written[1], expected),),
        (),
    )


@pytest.mark.parametrize(("field", "value"), [("sparse", "IDENTITY"), ("contains_missing", "NEVER")])
def test_outputs_have_words_of_their_own(tmp_path: Path, field: str, value: str) -> None:
    found = read(tmp_path, one(field, "EQUALS", value), side="output")
    assert found.output_requirements == (Requirement(field, "EQUALS", (value,)),)
    with pytest.raises(LoadError, match="expected one of: FORBIDDEN, SUPPORTED"):
        read(tmp_path, one(field, "EQUALS", value), side="input")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{field: data_type, condition: IN, value: NUM}", ".field: found 'data_type', expected one of: data_types, "),
        (
            one("data_types", "EQUAL", "NUM"),
            ".condition: found 'EQUAL', expected one of: EQUALS, NOT_EQUALS, IN, NOT_IN",
        ),
        (one("data_types", "LESS_THAN", "NUM"), ".condition: found 'LESS_THAN'"),
        (one("sparse", "IN", "REQUIRED"), ".condition: found 'IN', expected one of: EQUALS"),
        (one("data_types", "EQUALS", "NUMM"), ".value: found 'NUMM', expected one of: NUM, TXT, IMG, DATE, CAT, "),
        (one("data_types", "IN", "[NUM, txt]"), ".value[1]: found 'txt', expected one of: NUM, TXT"),
        (one("data_types", "EQUALS", "[NUM, CAT]"), ".value: found 2 values for EQUALS; IN and NOT_IN take several"),
        (one("data_types", "IN", "[]"), ".value: found 0 values for IN; expected at least one"),
        (one("number_of_columns", "EQUALS", "few"), ".value: 'few' is not a whole number"),
        (one("number_of_columns", "EQUALS", "-1"), ".value: found '-1', expected 0 or more"),
        (one("number_of_columns", "EQUALS", "0"), ".value: 0 columns can only be compared with NOT_IN, NOT_EQUALS, "),
        (one("number_of_columns", "IN", "[1, 0]"), ".value: 0 columns can only be compared with"),
        ("{field: sparse, condition: EQUALS}", ": the key 'value' is missing"),
        ("{condition: EQUALS, value: NUM}", ": the key 'field' is missing"),
        (
            "{field: sparse, condition: EQUALS, value: REQUIRED, values: x}",
            ": unknown key 'values'; did you mean 'value'?",
        ),
        ("data_types", ": expected keys and values, found 'data_types'"),
    ],
)
def test_what_is_no_requirement_is_named_with_its_line(tmp_path: Path, written: str, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        read(tmp_path, one("sparse", "EQUALS", "SUPPORTED"), written)
    assert str(caught.value).startswith(f"model-metadata.yaml:7: typeSchema.input_requirements[1]{words}")


def test_requirements_of_outputs_are_for_transform_only(tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, one("sparse", "EQUALS", "NEVER"), side="output", kind="binary")
    assert str(caught.value) == (
        "model-metadata.yaml:5: typeSchema.output_requirements: "
        "output_requirements are only valid for the target type 'transform', found 'binary'"
    )
    assert caught.value.exit_code == 3


def test_an_unknown_side_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="typeSchema: unknown key 'inputs_requirements'; did you mean 'input_requi"):
        read(tmp_path, one("sparse", "EQUALS", "NEVER"), side="inputs")
