"""Which keys are valid, and since when."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, request

from custom_model_runner.errors import LoadError, Overloaded, UsageError
from custom_model_runner.predictor import Predictor, load
from custom_model_runner.server import keys
from custom_model_runner.server.app import create_app, create_error_app
from custom_model_runner.server.keys import Keyring
from custom_model_runner.settings import ServerSettings

from ..folders import plant


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "keys").write_text("one\ntwo\n")
    return tmp_path / "keys"


def ticking(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def test_every_key_of_the_file_and_of_the_variable_is_valid_and_no_other(file: Path) -> None:
    settings = ServerSettings(api_key_file=file, api_keys=("three",))
    keyring = keys.open_keyring(settings)
    assert keyring is not None
    assert [keyring.accepts(key) for key in ("one", "two", "three", "", "on", "onee", "\udc80")] == [True] * 3 + [
        False
    ] * 4


@pytest.mark.parametrize("key", ["one", "onf", "two", ""])
def test_a_key_is_compared_with_every_valid_one_as_digests_in_constant_time(
    file: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    keyring = keys.open_keyring(ServerSettings(api_key_file=file, api_keys=("three",)))
    assert keyring is not None
    monkeypatch.setattr(keys, "hmac", SimpleNamespace(compare_digest=compare))
    assert keyring.accepts(key) == (key in {"one", "two"})
    assert compared == [(32, 32)] * 3


def test_without_keys_there_is_nothing_to_ask_for() -> None:
    assert keys.open_keyring(ServerSettings()) is None


def test_a_worker_has_the_keys_of_the_start_though_the_file_has_been_broken_since(file: Path) -> None:
    keyring = keys.open_keyring(ServerSettings(api_key_file=file))
    file.write_text("")
    assert keyring is not None
    assert keyring.accepts("one")


def test_a_file_without_keys_at_the_start_is_a_usage_error(file: Path) -> None:
    file.write_text("# none\n")
    with pytest.raises(UsageError, match=r"--api-key-file.*found no key"):
        keys.open_keyring(ServerSettings(api_key_file=file))


def test_a_changed_file_counts_as_soon_as_it_is_looked_at(file: Path) -> None:
    keyring = Keyring(file, clock=ticking(keys.SECONDS_BETWEEN_LOOKS).__next__)
    assert keyring.accepts("one")
    file.write_text("six\ntwo\n")
    assert [keyring.accepts(key) for key in ("one", "six", "two")] == [False, True, True]
    other = file.with_name("other")
    other.write_text("ten\ntwo\n")
    other.replace(file)
    assert [keyring.accepts(key) for key in ("six", "ten")] == [False, True]


def test_the_file_is_looked_at_once_a_second(file: Path) -> None:
    keyring = Keyring(file, clock=ticking(keys.SECONDS_BETWEEN_LOOKS / 4).__next__)
    assert keyring.accepts("one")
    file.write_text("six\n")
    assert [keyring.accepts("six") for _ in range(4)] == [False, False, False, True]


def test_a_file_that_cannot_be_used_is_told_once_and_leaves_the_last_keys(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring = Keyring(file, clock=ticking(keys.SECONDS_BETWEEN_LOOKS).__next__)
    assert keyring.accepts("one")
    file.unlink()
    with caplog.at_level(logging.ERROR):
        assert [keyring.accepts(key) for key in ("one", "six", "two")] == [True, False, True]
    assert len(caplog.records) == 1
    assert "is not there" in caplog.text
    file.write_text("six\n")
    assert [keyring.accepts(key) for key in ("one", "six")] == [False, True]


def test_a_file_that_was_never_there_lets_nobody_in(tmp_path: Path) -> None:
    assert not Keyring(tmp_path / "none").accepts("")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
    folder = tmp_path_factory.mktemp("folder")
    with load(plant(folder, {"custom.py": "def score(data, model): ...\n"}), target_type="regression") as loaded:
        yield loaded


@pytest.fixture
def served(file: Path, predictor: Predictor) -> Flask:
    return app_with_keys(predictor, ServerSettings(api_key_file=file, url_prefix="/pre"))


def app_with_keys(predictor: Predictor, settings: ServerSettings) -> Flask:
    return create_app(predictor, settings, keyring=keys.open_keyring(settings))


@pytest.mark.parametrize("path", ["/", "/ping", "/health/", "/livez", "/readyz"])
def test_probes_stay_open(served: Flask, path: str) -> None:
    client = served.test_client()
    assert (client.get(path).status_code, client.get(f"/pre{path}").status_code) == (200, 200)


@pytest.mark.parametrize("path", ["/info/", "/stats/", "/metrics", "/none", "/models", "/livez/none"])
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_everything_else_is_closed_be_it_there_or_not(served: Flask, path: str, method: str) -> None:
    answer = served.test_client().open(f"/pre{path}", method=method)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer one"},
        {"Authorization": "bearer  two"},
        {"X-API-Key": "one"},
        {"X-API-Key": "two", "Authorization": "Bearer wrong"},
        {"X-API-Key": "two", "Authorization": "Basic b25lOg=="},
    ],
)
def test_a_key_opens_in_either_header(served: Flask, headers: dict[str, str]) -> None:
    assert served.test_client().get("/pre/info/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "one"},
        {"Authorization": "Basic one"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer one,two"},
        {"X-API-Key": ""},
        {"X-API-Key": "ONE"},
        {"X-API-Key": "\u00fc"},
    ],
)
def test_what_is_no_key_does_not_open_and_does_not_come_back(served: Flask, headers: dict[str, str]) -> None:
    answer = served.test_client().get("/pre/info/", headers=headers)
    assert answer.status_code == 401
    assert "one" not in answer.get_data(as_text=True).replace("expected one as", "")


def test_whoever_has_no_key_is_not_told_that_the_queue_is_full(file: Path, predictor: Predictor) -> None:
    def admit() -> None:
        raise Overloaded("full")

    settings = ServerSettings(api_key_file=file)
    client = create_app(predictor, settings, keyring=keys.open_keyring(settings), admit=admit).test_client()
    answers = [client.post("/predict/", headers=headers) for headers in ({}, {"X-API-Key": "one"})]
    assert [answer.status_code for answer in answers] == [401, 429]


def test_metrics_can_be_opened(file: Path, predictor: Predictor) -> None:
    served = app_with_keys(predictor, ServerSettings(api_key_file=file, open_metrics=True))
    client = served.test_client()
    assert (client.get("/metrics").status_code, client.get("/info/").status_code) == (200, 401)


def test_the_header_that_held_the_key_goes_no_further_and_others_do(served: Flask) -> None:
    seen: list[dict[str, str]] = []
    served.before_request(lambda: seen.append(dict(request.headers)))
    served.test_client().get("/pre/info/", headers={"X-API-Key": "one", "Authorization": "Basic b25lOg=="})
    assert ("X-Api-Key" in seen[0], seen[0]["Authorization"]) == (False, "Basic b25lOg==")


def test_both_headers_go_no_further_if_both_hold_a_key(served: Flask) -> None:
    seen: list[dict[str, str]] = []
    served.before_request(lambda: seen.append(dict(request.headers)))
    served.test_client().get("/pre/info/", headers={"X-API-Key": "one", "Authorization": "Bearer two"})
    assert not {"X-Api-Key", "Authorization"} & set(seen[0])


def test_the_reason_why_a_folder_cannot_be_loaded_is_for_those_with_a_key_except_on_probes(file: Path) -> None:
    settings = ServerSettings(api_key_file=file)
    app = create_error_app(LoadError("the reason"), settings, keyring=keys.open_keyring(settings))
    client = app.test_client()
    assert (client.post("/predict/").status_code, client.get("/ping/").status_code) == (401, 513)
    assert client.post("/predict/", headers={"X-API-Key": "one"}).status_code == 513
