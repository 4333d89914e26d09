"""Credentials: a record for each type, and what is secret in it."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from custom_model_runner import credentials
from custom_model_runner.credentials import TYPES, BasicSecret, InvalidUserSecret, S3Secret, parse


def secret(**facts: Any) -> credentials.Secret:
    return parse(json.dumps(facts), "here")


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_a_record_that_keeps_its_fields(kind: str) -> None:
    facts = {field.name: f"the {field.name}" for field in fields(TYPES[kind])}
    found = secret(credential_type=kind, **facts)
    assert type(found) is TYPES[kind]
    assert {name: getattr(found, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("basic", {"username", "password"}),
        ("oauth", {"token", "refresh_token"}),
        ("azure", {"azure_connection_string"}),
        ("api_token", {"api_token"}),
    ],
)
def test_what_a_secret_needs_is_named_when_it_is_missing(kind: str, needed: set[str]) -> None:
    with pytest.raises(InvalidUserSecret, match=f"^here: a secret of the type '{kind}' needs the key") as caught:
        secret(credential_type=kind)
    assert needed == set(str(caught.value).partition("key(s) ")[2].split(", "))


def test_unknown_keys_do_not_count_and_camel_case_will_do() -> None:
    found = secret(credentialType="S3", awsAccessKeyId="key", region="north", name="mine")
    assert found == S3Secret(aws_access_key_id="key")


def test_a_secret_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        BasicSecret("u", "p").password = "q"  # type: ignore[misc]


@pytest.mark.parametrize("show", [repr, str])
def test_a_secret_shows_none_of_its_texts(show: Any) -> None:
    assert show(BasicSecret("reader", "swordfish")) == (
        "BasicSecret(username='*****', password='*****', snowflake_account_name=None)"
    )


def test_a_key_in_parts_is_masked_as_a_whole() -> None:
    assert repr(secret(credential_type="gcp", gcp_key={"private_key": "swordfish"})).startswith(
        "GCPSecret(gcp_key='*****', "
    )


@pytest.mark.parametrize(
    ("kind", "key"),
    [("s3", "config_id"), ("gcp", "google_config_id"), ("snowflake_oauth_user_account", "oauth_config_id")],
)
def test_a_secret_with_a_configuration_is_partial(kind: str, key: str) -> None:
    assert (
        secret(credential_type=kind, **{key: "5f"}).is_partial_secret(),
        secret(credential_type=kind).is_partial_secret(),
    ) == (True, False)


def test_a_secret_without_room_for_a_configuration_is_whole() -> None:
    assert not BasicSecret("u", "p").is_partial_secret()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("swordfish", "here: does not hold JSON: Expecting value in line 1"),
        ('["swordfish"]', "here: holds a JSON list, expected an object"),
        ('{"password": "swordfish"}', "here: the key 'credential_type' is missing"),
        ('{"credential_type": 5}', "here: the key 'credential_type' is missing, or is no text"),
        ('{"credential_type": "basik"}', "here: unknown credential_type 'basik'; did you mean 'basic'?"),
        ('{"credential_type": "basic", "password": "swordfish"}', "needs the key(s) username"),
    ],
)
def test_what_is_no_secret_is_told_without_its_text(text: str, words: str) -> None:
    with pytest.raises(InvalidUserSecret) as caught:
        parse(text, "here")
    assert words in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_every_text_of_a_secret_is_hidden_but_names_of_types_and_configurations() -> None:
    key = json.dumps({"type": "service_account", "private_key": "inner"})
    value = {
        "credentialType": "gcp",
        "configId": "5f",
        "gcpKey": key,
        "more": [{"deep": "deeper"}, 5, None],
        "x": "{no",
    }
    assert set(credentials.hidden(value)) == {key, "inner", "deeper", "{no"}
