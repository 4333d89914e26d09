"""Secrets are checked before anything runs, and none of their texts is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custom_model_runner.delivery import secrets
from custom_model_runner.errors import UsageError
from custom_model_runner.settings import DeliverySettings

from ..folders import plant

TOKEN = json.dumps({"credential_type": "api_token", "api_token": "swordfish", "note": "unknown"})


def test_user_code_is_led_to_its_secrets_from_any_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = secrets.variables(DeliverySettings(user_secrets_mount_path="mount", user_secrets_prefix="MINE"))
    assert found == {"USER_SECRETS_MOUNT_PATH": str(tmp_path / "mount"), "USER_SECRETS_PREFIX": "MINE"}


def test_without_settings_no_variable_is_set() -> None:
    assert secrets.variables(DeliverySettings()) == {}


def test_every_text_of_a_user_secret_is_hidden(tmp_path: Path) -> None:
    environ = {"USER_SECRETS_MOUNT_PATH": str(plant(tmp_path, {"A": TOKEN})), "USER_SECRETS_PREFIX": "MINE"}
    other = json.dumps({"credential_type": "basic", "username": "reader", "password": "salmon"})
    assert set(secrets.hidden({**environ, "MINE_B": other})) == {"swordfish", "unknown", "reader", "salmon"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"type": "credential", "payload": {"credentialType": "s3", "awsSecretAccessKey": "swordfish"}}',
            {"swordfish"},
        ),
        ('{"type": "credential", "payload": null}', set()),
        ('{"type": "string", "payload": "swordfish"}', set()),
        ('["credential"]', set()),
        ("{", set()),
    ],
)
def test_credentials_among_runtime_parameters_are_hidden(text: str, expected: set[str]) -> None:
    assert set(secrets.hidden({"MLOPS_RUNTIME_PARAM_X": text, "OTHER": text})) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("swordfish", "variable MINE_A: does not hold JSON"),
        (
            '{"credential_type": "fish", "x": "swordfish"}',
            "variable MINE_A: unknown credential_type 'fish'; known: basic",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_is_a_usage_error(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        secrets.hidden({"USER_SECRETS_PREFIX": "MINE", "MINE_A": text})
    assert words in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_a_mount_that_cannot_be_listed_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be listed"):
        secrets.hidden({"USER_SECRETS_MOUNT_PATH": str(tmp_path / "file")})
