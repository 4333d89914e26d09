"""Runtime parameters, as user code sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom_model_runner.parameters import InvalidJsonException, InvalidRuntimeParam, RuntimeParameters, parse


def text_of(kind: Any, payload: Any) -> str:
    return json.dumps({"type": kind, "payload": payload})


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("string", "text"),
        ("string", ""),
        ("boolean", True),
        ("boolean", False),
        ("numeric", 5),
        ("numeric", 1.5),
        ("numeric", "12.5"),
        ("credential", {"credentialType": "basic", "username": "u"}),
        ("deployment", "5f0"),
        *((kind, None) for kind in ("string", "boolean", "numeric", "credential", "deployment")),
    ],
)
def test_a_payload_that_fits_its_type_comes_back_unchanged(kind: str, payload: Any) -> None:
    result = parse("NAME", text_of(kind, payload))
    assert (result, type(result)) == (payload, type(payload))


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("string", 5),
        ("string", True),
        ("boolean", "true"),
        ("boolean", 1),
        ("numeric", "many"),
        ("numeric", True),
        ("numeric", [1]),
        ("credential", "secret"),
        ("credential", {}),
        ("credential", {"credentialType": ""}),
        ("credential", {"credentialType": 5}),
        ("deployment", 5),
    ],
)
def test_a_payload_that_misfits_its_type_is_refused(kind: str, payload: Any) -> None:
    with pytest.raises(InvalidRuntimeParam, match="Invalid runtime parameter!"):
        parse("NAME", text_of(kind, payload))


@pytest.mark.parametrize("kind", ["text", "", None, 5, ["string"]])
def test_an_unknown_type_is_refused(kind: Any) -> None:
    with pytest.raises(InvalidRuntimeParam, match="Invalid runtime parameter!"):
        parse("NAME", text_of(kind, "x"))


@pytest.mark.parametrize("value", ["text", [], {"type": "string"}, {"payload": "x"}])
def test_a_parameter_is_an_object_with_type_and_payload(value: Any) -> None:
    with pytest.raises(InvalidRuntimeParam, match="Invalid runtime parameter!"):
        parse("NAME", json.dumps(value))


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(InvalidJsonException, match=r"Invalid runtime parameter json payload\."):
        parse("NAME", "{")


def test_a_refusal_does_not_show_the_secret() -> None:
    with pytest.raises(InvalidRuntimeParam) as caught:
        parse("NAME", text_of("credential", {"password": "swordfish"}))
    assert "swordfish" not in str(caught.value)


def test_user_code_gets_a_delivered_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_Threshold", text_of("numeric", 0.5))
    assert RuntimeParameters.get("Threshold") == 0.5


def test_a_missing_parameter_is_a_value_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOPS_RUNTIME_PARAM_GONE", raising=False)
    with pytest.raises(ValueError, match="'GONE' was not delivered"):
        RuntimeParameters.get("GONE")


def test_user_code_can_ask_whether_a_parameter_was_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_RUNTIME_PARAM_HERE", text_of("string", None))
    assert (RuntimeParameters.has("HERE"), RuntimeParameters.has("GONE")) == (True, False)
