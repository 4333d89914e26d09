"""What the metadata says of runtime parameters, and what may be given for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from custom_model_runner import metadata
from custom_model_runner.errors import LoadError
from custom_model_runner.metadata import entries
from custom_model_runner.metadata.kinds import members
from custom_model_runner.metadata.parameters import Definition, definitions

from ..folders import plant


def defined(text: str) -> tuple[Definition, ...]:
    return definitions(entries.parse(text, "m.yaml"))


def fault(text: str) -> str:
    with pytest.raises(LoadError) as caught:
        defined(text)
    return str(caught.value)


def value_of(kind: str, written: str, **facts: Any) -> Any:
    definition = Definition("X", kind, entries.parse("", "m.yaml"), **facts)
    return definition.value(members(entries.parse(f"X: {written}", "v.yaml"))["X"])


def fault_of(kind: str, written: str, **facts: Any) -> str:
    with pytest.raises(LoadError) as caught:
        value_of(kind, written, **facts)
    return str(caught.value)


def test_a_definition_of_two_keys_allows_everything() -> None:
    [found] = defined("[{fieldName: A, type: string}]")
    assert (found.name, found.type, found.default, found.allows_empty) == ("A", "string", None, True)
    assert (found.least, found.most, found.credential_types) == (None, None, ())


def test_every_key_of_a_definition_counts_and_others_do_not() -> None:
    [number, credential] = defined(
        "- {fieldName: A, type: numeric, defaultValue: 5, allowEmpty: false, minValue: 1, maxValue: 9.5, reason: why}\n"
        "- {fieldName: B, type: credential, credentialType: s3, description: a bucket}\n"
    )
    assert (number.default, number.allows_empty, number.least, number.most) == (5, False, 1, 9.5)
    assert credential.credential_types == ("s3",)


def test_a_key_without_a_value_is_not_there() -> None:
    [found] = defined(
        "- fieldName: A\n  type: numeric\n  minValue:\n  maxValue: null\n  allowEmpty: ~\n  defaultValue:\n"
    )
    assert (found.least, found.most, found.allows_empty, found.default) == (None, None, True, None)


@pytest.mark.parametrize("text", ["", "[]", "~"])
def test_no_definitions_are_no_fault(text: str) -> None:
    assert defined(text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fieldName: A", "m.yaml:1: expected a list, found keys and values"),
        ("- A", "m.yaml:1: [0]: expected keys and values, found 'A'"),
        ("- type: string", "m.yaml:1: [0]: the key 'fieldName' is missing"),
        ("- fieldName:\n  type: string", "m.yaml:1: [0]: the key 'fieldName' is missing"),
        ("- fieldName: A", "m.yaml:1: [0]: the key 'type' is missing"),
        ("- fieldName: A=B\n  type: string", "m.yaml:1: [0].fieldName: found 'A=B', expected a name without '='"),
        (
            "- fieldName: A\n  type: sting",
            "m.yaml:2: [0].type: found 'sting', expected one of: "
            "string, boolean, numeric, credential, deployment; did you mean 'string'?",
        ),
        (
            "- {fieldName: A, type: string}\n- {fieldName: A, type: string}",
            "m.yaml:2: [1]: duplicated definition of 'A', first in line 1",
        ),
        (
            "- {fieldName: A, type: numeric, minValue: 9, maxValue: 1}",
            "m.yaml:1: [0]: minValue 9 is greater than maxValue 1",
        ),
        (
            "- fieldName: A\n  type: numeric\n  maxValue: 100\n  defaultValue: 101",
            "m.yaml:4: [0].defaultValue: value is greater than 100, its maxValue",
        ),
        ("- {fieldName: A, type: numeric, minValue: few}", "m.yaml:1: [0].minValue: 'few' is not a number"),
    ],
)
def test_a_definition_that_cannot_be_used_is_told_with_its_line(text: str, words: str) -> None:
    assert fault(text) == words


def test_a_broken_definition_makes_the_folder_unloadable(tmp_path: Path) -> None:
    text = "name: m\ntype: inference\ntargetType: regression\nruntimeParameterDefinitions:\n  - fieldName: A\n"
    with pytest.raises(LoadError, match=r"model-metadata.yaml:5: runtimeParameterDefinitions\[0\]: the key 'type'"):
        metadata.read(plant(tmp_path, {"model-metadata.yaml": text}))


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("string", "text", "text"),
        ("string", "012", "012"),
        ("string", "yes", "yes"),
        ("string", '""', ""),
        ("string", "'null'", "null"),
        ("string", "|\n  two\n  lines\n", "two\nlines\n"),
        ("deployment", "5f00aa", "5f00aa"),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", "no", False),
        ("boolean", "'on'", True),
        ("numeric", "5", 5),
        ("numeric", "-1.5e3", -1500.0),
        ("numeric", "'5.0'", "5.0"),
        ("credential", "{credentialType: basic, password: 012}", {"credentialType": "basic", "password": "012"}),
        (
            "credential",
            "{credentialType: gcp, key: {a: [x, ~, true, 'true']}}",
            {"credentialType": "gcp", "key": {"a": ["x", None, True, "true"]}},
        ),
        *((kind, written, None) for kind in ("string", "boolean", "credential") for written in ("", "~", "null")),
    ],
)
def test_a_value_is_read_as_the_type_says(kind: str, written: str, expected: Any) -> None:
    found = value_of(kind, written)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "written", "words"),
    [
        ("string", "[a]", "expected a text, found a list"),
        ("deployment", "{a: b}", "expected a text, found keys and values"),
        ("boolean", "1", "found '1', expected true or false"),
        ("numeric", "many", "'many' is not a number"),
        ("numeric", ".nan", "'.nan' is not a number"),
        ("numeric", "1e999", "'1e999' is too large a number"),
        ("numeric", "true", "'true' is not a number"),
        ("credential", "{password: x}", "a credential needs the key 'credentialType'"),
        ("credential", "{credentialType: ~}", "a credential needs the key 'credentialType'"),
        ("credential", "{credentialType: [basic]}", "a credential needs the key 'credentialType'"),
    ],
)
def test_a_value_of_another_kind_is_a_fault(kind: str, written: str, words: str) -> None:
    assert fault_of(kind, written).startswith(f"v.yaml:1: X: {words}")


def test_a_credential_that_is_written_as_a_text_is_not_repeated() -> None:
    assert fault_of("credential", "swordfish") == (
        "v.yaml:1: X: expected the keys and values of a credential, found something else"
    )


@pytest.mark.parametrize("written", ["1", "100", "1.0", "'100'"])
def test_bounds_belong_to_what_they_bound(written: str) -> None:
    assert float(value_of("numeric", written, least=1, most=100)) in (1, 100)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("100.5", "value is greater than 100, its maxValue"),
        ("'101'", "value is greater than 100, its maxValue"),
        ("0.5", "value is less than 1, its minValue"),
    ],
)
def test_a_value_out_of_bounds_is_a_fault(written: str, words: str) -> None:
    assert fault_of("numeric", written, least=1, most=100) == f"v.yaml:1: X: {words}"


def test_a_credential_may_be_of_each_declared_type() -> None:
    written = "{credentialType: BASIC, username: u}"
    assert value_of("credential", written, credential_types=("s3", "basic"))["username"] == "u"


def test_a_credential_of_another_type_is_a_fault() -> None:
    words = fault_of("credential", "{credentialType: oauth}", credential_types=("s3", "basic"))
    assert words == "v.yaml:1: X: the credentialType is 'oauth', expected: s3 or basic"


def test_the_default_of_a_credential_is_not_shown(tmp_path: Path) -> None:
    text = """\
name: m
type: inference
targetType: regression
runtimeParameterDefinitions:
  - {fieldName: A, type: credential, defaultValue: {credentialType: basic, password: swordfish}}
  - {fieldName: B, type: credential}
  - {fieldName: C, type: string, defaultValue: open}
"""
    found = metadata.read(plant(tmp_path, {"model-metadata.yaml": text}))
    assert found is not None
    assert found.raw["runtimeParameterDefinitions"] == [
        {"fieldName": "A", "type": "credential", "defaultValue": "*****"},
        {"fieldName": "B", "type": "credential"},
        {"fieldName": "C", "type": "string", "defaultValue": "open"},
    ]
