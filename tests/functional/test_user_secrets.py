"""User secrets reach user code and do not leave the process by what it says."""

from __future__ import annotations

import json
import subprocess

import pytest

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


# Everything a careless author may do with a password.
CUSTOM = """
    import logging, sys, warnings
    from custom_model_runner import RuntimeParameters, UserSecrets

    def score_unstructured(model, data, **kwargs):
        store, mail = UserSecrets.get("STORE"), UserSecrets.get("MAIL")
        key = RuntimeParameters.get("KEY")["apiToken"]
        print(store, store.password)
        sys.stdout.write(store.password[:4])
        sys.stdout.flush()
        print(store.password[4:])
        logging.getLogger("mine").error("mail by %s", mail.api_token)
        warnings.warn(key)
        if data == "fail":
            raise ValueError(f"{store.password} is wrong")
        return f"{store.username} {len(mail.api_token)}"
"""
STORE = json.dumps({"credential_type": "basic", "username": "reader", "password": "halibut9"})
MAIL = json.dumps({"credential_type": "api_token", "api_token": "mackerel"})
KEY = json.dumps({"type": "credential", "payload": {"credentialType": "api_token", "apiToken": "flounder"}})
ENV = {"MINE_MAIL": MAIL, "MLOPS_RUNTIME_PARAM_KEY": KEY}


def score(drum: Drum, plant: Plant, data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    folder, mount = plant("code", {"custom.py": CUSTOM}), plant("mount", {"STORE": STORE})
    given = ("--user-secrets-mount-path", mount, "--user-secrets-prefix", "MINE")
    return drum("score", "-cd", folder, "--input", "-", *given, *words, stdin=data, env=ENV)


def test_what_user_code_says_is_scrubbed_and_what_it_returns_is_not(drum: Drum, plant: Plant) -> None:
    done = score(drum, plant, b"")
    said = done.stderr.decode()
    assert (done.stdout, done.returncode) == (b"reader 8", 0), said
    assert "BasicSecret(username='*****', password='*****', snowflake_account_name=None) *****\n" in said
    assert said.endswith("\n*****\n")
    assert "mail by *****\n" in said
    assert "UserWarning: *****\n" in said
    assert [word for word in ("hali", "mackerel", "flounder") if word in said] == []


def test_a_failure_is_scrubbed_with_and_without_its_traceback(drum: Drum, plant: Plant) -> None:
    for words in ((), ("--show-stacktrace",)):
        done = score(drum, plant, b"fail", *words)
        assert done.returncode == 5
        assert b"ValueError('***** is wrong')" in done.stderr
        assert b"hali" not in done.stderr


def test_the_places_may_be_named_by_variables(drum: Drum, plant: Plant) -> None:
    env = {**ENV, "USER_SECRETS_MOUNT_PATH": str(plant("mount", {"STORE": STORE})), "USER_SECRETS_PREFIX": "MINE"}
    done = drum("score", "-cd", plant("code", {"custom.py": CUSTOM}), "--input", "-", env=env)
    assert done.stdout == b"reader 8", done.stderr


def test_a_broken_secret_ends_the_run_before_it_starts(drum: Drum, plant: Plant) -> None:
    mount = plant("mount", {"STORE": '{"credential_type": "bacis", "password": "swordfish"}'})
    folder = plant("code", {"custom.py": CUSTOM})
    done = drum("score", "-cd", folder, "--input", "-", "--user-secrets-mount-path", mount)
    told = f"drum: error: user secret {mount}/STORE: unknown credential_type 'bacis'; did you mean 'basic'?\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", told)


def test_a_mount_that_is_not_there_is_no_failure(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": "def score_unstructured(model, data): return 'well'"})
    done = drum("score", "-cd", folder, "--input", "-", "--user-secrets-mount-path", "/gone/away")
    assert (done.stdout, done.returncode) == (b"well", 0)


def test_the_token_of_the_api_is_scrubbed(drum: Drum, plant: Plant) -> None:
    custom = """
        import os, sys

        def score_unstructured(model, data):
            print("the token is", os.environ["DATAROBOT_API_TOKEN"])
            raise ValueError(sys.argv)
    """
    client = ("--allow-dr-api-access", "--webserver", "https://x.org", "--api-token", "halibut9")
    done = drum("score", "-cd", plant("code", {"custom.py": custom}), "--input", "-", *client)
    assert done.returncode == 5
    assert b"the token is *****\n" in done.stderr
    assert b"'--api-token', '*****'" in done.stderr
    assert b"halibut9" not in done.stderr
