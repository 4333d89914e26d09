"""Secrets do not leave a server by its failures, nor by its log."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from .conftest import serve

HOOKS = """
    from custom_model_runner import CustomHTTPError, UserSecrets

    def score_unstructured(model, data, **kwargs):
        token = UserSecrets.get("MAIL").api_token
        print(token, flush=True)
        if data == "raise":
            raise ValueError(token)
        if data == "refuse":
            raise CustomHTTPError(f"no {token}", status_code=418)
        return token
"""
EXTENSION = """
    from custom_model_runner import UserSecrets

    def init_app(app):
        inner = app.wsgi_app

        def outer(environ, start_response):
            if environ["PATH_INFO"] == "/outer":
                raise ValueError(UserSecrets.get("MAIL").api_token)
            return inner(environ, start_response)

        app.wsgi_app = outer
"""
# One with what JSON escapes, for an answer is JSON.
TOKEN = 'sword"fish é'
ENV = {"USER_SECRETS_PREFIX": "MINE", "MINE_MAIL": json.dumps({"credential_type": "api_token", "api_token": TOKEN})}


def planted(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "custom.py").write_text(dedent(text))
    return folder


def test_failures_and_the_log_are_scrubbed_and_predictions_are_not(tmp_path: Path) -> None:
    folder = planted(tmp_path / "code", HOOKS)
    (folder / "custom_flask.py").write_text(dedent(EXTENSION))
    with serve(folder, "--target-type", "unstructured", "--show-stacktrace", env=ENV) as server:
        answers = {
            data: server.post("/predictUnstructured/", data, "text/plain") for data in ("raise", "refuse", "return")
        }
        answers["outer"] = server.get("/outer")
        log = server.log.read_text()
    assert {data: answer.status_code for data, answer in answers.items()} == {
        "raise": 500,
        "refuse": 418,
        "return": 200,
        "outer": 500,
    }
    assert answers["outer"].json()["message"].endswith("ValueError('*****')")
    assert answers["raise"].json()["message"].endswith("ValueError('*****') (custom.py:8)")
    assert answers["refuse"].json() == {"message": "no *****"}
    assert answers["return"].content.decode() == TOKEN
    assert "ValueError: *****" in log
    assert log.count("*****") >= 5
    assert "sword" not in log


def test_the_error_server_is_scrubbed(tmp_path: Path) -> None:
    text = "from custom_model_runner import UserSecrets\nraise ValueError(UserSecrets.get('MAIL').api_token)\n"
    with serve(planted(tmp_path / "code", text), "--with-error-server", env=ENV) as server:
        answer = server.get("/ping/")
    assert (answer.status_code, "ValueError('*****')" in answer.json()["message"]) == (513, True)
