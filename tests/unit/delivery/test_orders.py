"""What is asked of storage: from a file or from variables, and refused before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner.credentials import S3Secret
from custom_model_runner.delivery import orders
from custom_model_runner.errors import UsageError

SECRET = json.dumps({"credentialType": "s3", "awsAccessKeyId": "an-access-key", "awsSecretAccessKey": "swordfish"})
ENVIRON = {"MLOPS_REPOSITORY_SECRET_5F0A": SECRET}
REPOSITORY = {"repositoryId": "R", "bucketName": "models", "credentialId": "5f0a"}
FILE = {"remotePath": "a/b.bin", "localPath": "b.bin", "repositoryId": "R"}


def data(files: Any = (FILE,), repositories: Any = (REPOSITORY,), **more: Any) -> str:
    return json.dumps({"files": list(files), "repositories": list(repositories), **more})


def from_variable(folder: Path, text: str, **environ: str) -> orders.Order:
    return orders.read(folder, None, {**ENVIRON, **environ, "MLOPS_LAZY_LOADING_DATA": text})


def failure(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        from_variable(folder, text)
    return str(caught.value)


def test_nothing_is_asked_for_by_default(tmp_path: Path) -> None:
    assert orders.read(tmp_path, None, {"MLOPS_LAZY_LOADING_DATA": ""}) == orders.Order()


def test_the_variables_name_files_repositories_and_credentials(tmp_path: Path) -> None:
    [file] = from_variable(tmp_path, data()).files
    secret = S3Secret("an-access-key", "swordfish")
    assert (file.key, file.path) == ("a/b.bin", tmp_path / "b.bin")
    assert file.repository == orders.Repository("R", "models", "s3", secret)


@pytest.mark.parametrize("value", [False, "false", "no"])
def test_keys_may_be_in_snake_case_and_all_of_them_count(tmp_path: Path, value: object) -> None:
    file = {"remote_path": "k", "local_path": "deep/x", "repository_id": 7, "more": "ignored"}
    repository = {
        "repository_id": 7,
        "bucket_name": "b",
        "credential_id": "5F0a",
        "endpoint_url": "http://store:9000",
        "verify_certificate": value,
    }
    [found] = from_variable(tmp_path, data([file], [repository])).files
    assert (found.path, found.repository.name) == (tmp_path / "deep/x", "7")
    assert (found.repository.endpoint, found.repository.verifies_certificate) == ("http://store:9000", False)


def test_a_key_without_a_value_is_not_there(tmp_path: Path) -> None:
    [found] = from_variable(tmp_path, data(repositories=[{**REPOSITORY, "endpointUrl": None}])).files
    assert (found.repository.endpoint, found.repository.verifies_certificate) == (None, True)


YAML = """\
files:
  - remotePath: a/b.bin
    localPath: b.bin
    repositoryId: R
repositories:
  - repositoryId: R
    bucketName: models
    credentialId: mine
credentials:
  - id: mine
    credentialType: s3
    awsAccessKeyId: "another-key"
    awsSecretAccessKey: "mackerel"
    awsSessionToken:
"""


@pytest.mark.parametrize("text", [YAML, '{"tab":\t1, ' + data(credentials=[{"id": "5f0a", **json.loads(SECRET)}])[1:]])
def test_a_file_in_yaml_or_json_beats_the_variable_and_brings_its_credentials(tmp_path: Path, text: str) -> None:
    (tmp_path / "order").write_text(text)
    order = orders.read(tmp_path, str(tmp_path / "order"), {"MLOPS_LAZY_LOADING_DATA": "{"})
    assert order.files[0].repository.bucket == "models"
    assert isinstance(order.files[0].repository.credential, S3Secret)
    assert order.secrets


def test_the_credentials_of_a_file_may_be_in_variables_and_beat_them_otherwise(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(YAML)
    environ = {"MLOPS_REPOSITORY_SECRET_MINE": SECRET}
    found = [
        orders.read(tmp_path, str(tmp_path / "order.yaml"), environ).files[0].repository.credential
        for text in (YAML, YAML.partition("credentials:")[0])
        if (tmp_path / "order.yaml").write_text(text)
    ]
    assert found == [S3Secret("another-key", "mackerel"), S3Secret("an-access-key", "swordfish")]


def test_every_text_of_a_credential_is_kept_secret(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(YAML)
    assert set(orders.read(tmp_path, str(tmp_path / "order.yaml"), ENVIRON).secrets) >= {
        "another-key",
        "mackerel",
        "an-access-key",
        "swordfish",
    }


def test_a_fault_in_a_file_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(YAML.replace("    localPath: b.bin\n", ""))
    with pytest.raises(UsageError, match=r"^order\.yaml:2: files\[0\]: the key 'localPath' is missing or empty$"):
        orders.read(tmp_path, str(tmp_path / "order.yaml"), {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lazy loading file '/gone' is not there"):
        orders.read(tmp_path, "/gone", {})


def test_a_file_that_is_neither_yaml_nor_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "order").write_text("{")
    with pytest.raises(UsageError, match="order:1: is not YAML"):
        orders.read(tmp_path, str(tmp_path / "order"), {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "variable MLOPS_LAZY_LOADING_DATA: does not hold JSON"),
        ("[]", "expected keys and values, found a list"),
        (data(files=[]), "'files' must list at least one"),
        (json.dumps({"files": [FILE]}), "'repositories' must list at least one"),
        (data(files=[{**FILE, "remotePath": ""}]), "files[0]: the key 'remotePath' is missing or empty"),
        (
            data(files=[{**FILE, "repositoryId": "r"}]),
            "files[0].repositoryId: unknown repository 'r'; did you mean 'R'?",
        ),
        (data(files=[FILE, FILE]), "files[1]: two files have the localPath 'b.bin'"),
        (data(repositories=[REPOSITORY, REPOSITORY]), "repositories[1]: the repository 'R' is given twice"),
        (
            data(repositories=[{**REPOSITORY, "credentialId": "gone"}]),
            "repositories[0]: the credential 'gone' is not there: set MLOPS_REPOSITORY_SECRET_GONE",
        ),
        (
            data(repositories=[{**REPOSITORY, "endpointUrl": "store:9000"}]),
            "repositories[0].endpointUrl: found 'store:9000', expected an address such as https://storage:9000",
        ),
        (data(repositories=[{**REPOSITORY, "verifyCertificate": "maybe"}]), "'maybe' is not a truth value"),
    ],
)
def test_what_cannot_be_right_is_a_usage_error(tmp_path: Path, text: str, words: str) -> None:
    assert words in failure(tmp_path, text)


@pytest.mark.parametrize("local", ["../b", "/etc/b", "a/../../b", ".", "a/..", "../{name}x/b"])
def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path, local: str) -> None:
    local = local.format(name=tmp_path.name)
    words = f"files[0].localPath: found {local!r}, which is not inside the code directory"
    assert words in failure(tmp_path, data(files=[{**FILE, "localPath": local}]))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    assert "not inside the code directory" in failure(folder, data(files=[{**FILE, "localPath": "out/b"}]))


def test_a_path_may_be_absolute_inside_the_folder(tmp_path: Path) -> None:
    [found] = from_variable(tmp_path, data(files=[{**FILE, "localPath": f"{tmp_path}/x/../b"}])).files
    assert found.path == tmp_path / "b"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ('{"swordfish', "variable MLOPS_REPOSITORY_SECRET_5F0A: does not hold JSON"),
        (
            '{"credentialType": "s3s", "x": "swordfish"}',
            "credential 5f0a: unknown credential_type 's3s'; did you mean 's3'?",
        ),
        (
            '{"credentialType": "basic", "username": "u", "password": "swordfish"}',
            "files cannot be fetched with a credential of the type 'basic', expected: s3",
        ),
    ],
)
def test_a_credential_that_cannot_be_used_is_told_without_its_text(tmp_path: Path, secret: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_variable(tmp_path, data(), MLOPS_REPOSITORY_SECRET_5F0A=secret)
    assert words in str(caught.value)
    assert "swordfish" not in str(caught.value)
