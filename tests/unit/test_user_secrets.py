"""User secrets, as user code sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custom_model_runner import UserSecrets
from custom_model_runner.credentials import ApiTokenSecret, InvalidUserSecret
from custom_model_runner.user_secrets import texts

from .folders import plant


def token(text: str) -> str:
    return json.dumps({"credential_type": "api_token", "api_token": text})


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("USER_SECRETS_MOUNT_PATH", str(tmp_path / "mount"))
    monkeypatch.setenv("USER_SECRETS_PREFIX", "MINE")
    return tmp_path / "mount"


def test_a_secret_comes_from_its_file(mount: Path) -> None:
    plant(mount, {"STORE": token("one")})
    assert UserSecrets.get("STORE") == ApiTokenSecret("one")


def test_a_secret_comes_from_its_variable(mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_STORE", token("two"))
    assert UserSecrets.get("STORE") == ApiTokenSecret("two")


def test_a_file_beats_a_variable(mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_STORE", token("two"))
    plant(mount, {"STORE": token("one")})
    assert UserSecrets.get("STORE") == ApiTokenSecret("one")


def test_a_secret_that_is_renewed_is_read_anew(mount: Path) -> None:
    found = [UserSecrets.get("STORE") for text in ("old", "new") if plant(mount, {"STORE": token(text)})]
    assert found == [ApiTokenSecret("old"), ApiTokenSecret("new")]


def test_user_code_can_ask_whether_there_is_a_secret(mount: Path) -> None:
    plant(mount, {"STORE": token("one")})
    assert (UserSecrets.has("STORE"), UserSecrets.has("GONE")) == (True, False)


def test_a_missing_secret_is_a_value_error(mount: Path) -> None:
    with pytest.raises(ValueError, match="There is no user secret 'GONE'"):
        UserSecrets.get("GONE")


def test_without_variables_there_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USER_SECRETS_MOUNT_PATH", raising=False)
    monkeypatch.delenv("USER_SECRETS_PREFIX", raising=False)
    assert not UserSecrets.has("")


def test_hidden_files_and_folders_are_the_mounts_own_affair(tmp_path: Path) -> None:
    plant(tmp_path, {"..data/STORE": token("one"), ".hidden": "x", "folder/x": "x"})
    (tmp_path / "STORE").symlink_to(tmp_path / "..data" / "STORE")
    assert list(texts(str(tmp_path), None, {})) == ["STORE"]


def test_a_mount_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert texts(str(tmp_path / "gone"), None, {}) == {}


def test_a_mount_that_is_no_folder_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidUserSecret, match="cannot be listed: Not a directory"):
        texts(str(tmp_path / "file"), None, {})


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidUserSecret, match="STORE: is not UTF-8 text"):
        texts(str(plant(tmp_path, {"STORE": b"\xff"})), None, {})


def test_only_variables_of_the_prefix_are_secrets() -> None:
    environ = {"MINE_A": "1", "MINE_B_C": "2", "MINE": "3", "MINE_": "4", "MINER_D": "5"}
    assert texts(None, "MINE", environ) == {"A": ("1", "variable MINE_A"), "B_C": ("2", "variable MINE_B_C")}
