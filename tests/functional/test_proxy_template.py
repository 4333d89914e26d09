"""The proxy template before a real server that refuses, fails, is silent or talks nonsense."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent

import pytest

import custom_model_runner
from custom_model_runner import CustomHTTPError, Payload
from custom_model_runner.errors import LoadError
from custom_model_runner.predictor import Predictor

from ..templates import BIN, ROOT, Server, started
from .conftest import Drum, Plant

TEMPLATE = ROOT / "model_templates" / "proxy_model"
TOKEN = "a-token-that-nobody-may-see"
HOOKS = """
    import pandas as pd
    from custom_model_runner import CustomHTTPError

    def score(data, model):
        wish = str(data["wish"].iloc[0]) if len(data) else ""
        if wish == "raise":
            raise KeyError("a secret of the remote")
        if wish.isdecimal():
            raise CustomHTTPError("said the remote", int(wish))
        return pd.DataFrame({"Predictions": data["x"], "seen": [f"{wish} {len(data)}"] * len(data)})

    def score_unstructured(model, data, **kwargs):
        wish = data.splitlines()[1].partition(",")[0]
        pages = {"html": "<html>", "list": "[1]", "other": '{"data": []}', "text": '{"predictions": "many"}'}
        return pages[wish], {"mimetype": "application/json"}
"""
FLASK = f"""
    from flask import abort, redirect, request

    def init_app(app):
        @app.before_request
        def authenticate():
            if request.path == "/moved":
                return redirect("/predict/", 307)
            if request.endpoint != "model_api.ping" and request.headers.get("Authorization") != "Bearer {TOKEN}":
                abort(401, "The token {TOKEN} is what I wanted")
"""


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("remote")
    (folder / "custom.py").write_text(dedent(HOOKS))
    (folder / "custom_flask.py").write_text(dedent(FLASK))
    options = ["--target-type", "regression", "--address", ""]
    with started([str(BIN / "drum"), "server", "--code-dir", str(folder), *options], folder) as server:
        yield server


@contextmanager
def proxy(patch: pytest.MonkeyPatch, url: str, token: str | None = TOKEN, seconds: float = 30) -> Iterator[Predictor]:
    """Open the template with these runtime parameters."""
    credential = {"credentialType": "api_token", "apiToken": token} if token else None
    given = {"REMOTE_URL": url, "REMOTE_TOKEN": credential, "TIMEOUT_SECONDS": seconds}
    kinds = ("string", "credential", "numeric")
    for kind, (name, payload) in zip(kinds, given.items(), strict=True):
        patch.setenv(f"MLOPS_RUNTIME_PARAM_{name}", json.dumps({"type": kind, "payload": payload}))
    with custom_model_runner.load(TEMPLATE) as predictor:
        yield predictor


def refused(predictor: Predictor, wish: str) -> tuple[int, str]:
    """Ask for what cannot be had, and return status and message."""
    with pytest.raises(CustomHTTPError) as caught:
        predictor.score(table(wish))
    return caught.value.status, caught.value.message


def table(*wishes: str) -> Payload:
    return Payload("\n".join(["wish,x", *(f"{wish},1.5" for wish in wishes)]).encode())


def test_predictions_and_extra_output_come_back_as_they_were(remote: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(monkeypatch, f"http://{remote.address}/predict/") as predictor:
        predictions = predictor.score(table("good", "better"))
        nothing = predictor.score(Payload(b"wish,x\n"))
    assert predictions.values.tolist() == [[1.5], [1.5]]
    assert predictions.extra is not None
    assert predictions.extra.to_dict("list") == {"seen": ["good 2", "good 2"]}
    assert len(nothing) == 0


def test_what_the_sender_can_mend_is_passed_on_and_the_rest_is_a_bad_gateway(
    remote: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = f"The model at {remote.address} answered with status"
    with proxy(monkeypatch, f"http://{remote.address}/predict/") as predictor:
        for status in (400, 413, 415, 422, 429, 503):
            assert refused(predictor, str(status)) == (status, "said the remote")
        for status in (401, 403, 404, 418, 500, 501):
            assert refused(predictor, str(status)) == (502, f"{silent} {status}")
        assert refused(predictor, "raise") == (502, f"{silent} 500")
    with proxy(monkeypatch, f"http://{remote.address}/moved") as predictor:
        assert refused(predictor, "good") == (502, f"{silent} 307")


@pytest.mark.parametrize("token", [None, "another"])
def test_a_token_that_the_remote_refuses_is_not_the_clients_fault(
    remote: Server, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    with proxy(monkeypatch, f"http://{remote.address}/predict/", token) as predictor:
        status, message = refused(predictor, "good")
    assert (status, message) == (502, f"The model at {remote.address} answered with status 401")


def test_nonsense_is_named(remote: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(monkeypatch, f"http://{remote.address}/predictUnstructured/?from=proxy") as predictor:
        found = {wish: refused(predictor, wish) for wish in ("html", "list", "other", "text")}
    assert set(found.values()) == {(502, f"The model at {remote.address} answered without predictions")}


def test_a_silent_remote_is_given_up_and_a_missing_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with proxy(monkeypatch, f"http://{address}/predict/", seconds=0.2) as predictor:
            assert refused(predictor, "good") == (504, f"The model at {address} did not answer in 0.2 s")
    with proxy(monkeypatch, f"http://{address}/predict/") as predictor:
        assert refused(predictor, "good") == (502, f"The model at {address} cannot be reached")
    with proxy(monkeypatch, f"https://{address}/predict/") as predictor:
        assert refused(predictor, "good") == (502, f"The model at {address} cannot be reached")


@pytest.mark.parametrize("url", ["ftp://x/predict/", "/predict/", "http://", "http://me:hush@x/", "http://x:port/"])
def test_an_address_that_cannot_be_one_is_a_load_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LoadError) as caught, proxy(monkeypatch, url):
        pass
    assert "hush" not in str(caught.value)


def test_a_refused_token_is_in_no_line_of_a_run_that_tells_everything(remote: Server, drum: Drum, plant: Plant) -> None:
    values = (
        f"REMOTE_URL: http://{remote.address}/predict/\nREMOTE_TOKEN: {{credentialType: api_token, apiToken: hush}}\n"
    )
    folder = plant("run", {"in.csv": "wish,x\ngood,1\n", "values.yaml": values})
    flags = ["--runtime-params-file", folder / "values.yaml", "--logging-level", "debug", "--show-stacktrace"]
    ended = drum("score", "--code-dir", TEMPLATE, "--input", folder / "in.csv", *flags)
    assert ended.returncode == 5
    assert b"answered with status 401" in ended.stderr
    assert b"hush" not in ended.stderr
    assert TOKEN.encode() not in ended.stderr
