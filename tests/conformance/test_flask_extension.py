"""A folder's own flask code beside ours: it may guard, add and handle, and what it breaks is answered in our form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve
from .processes import drum

SCORE = """
LOADED = "yes"

def score(data, model, **kwargs):
    return data[["x"]]
"""
EXTENSION = """
import sys

from datarobot_drum import CustomHTTPError
from flask import Response, abort, g, jsonify, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

import custom
from neighbour import TOKEN

PROBES = {"model_api.ping", "model_api.health"}


class Middleware:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        wish = environ["QUERY_STRING"]
        if wish == "middleware":
            raise OSError("in the middleware")
        if wish == "middleware-http":
            raise CustomHTTPError("closed", 503)
        return self.app(environ, start_response)


def init_app(app):
    app.wsgi_app = Middleware(app.wsgi_app)

    @app.before_request
    def guard():
        g.start = g.request_id = "mine"
        if request.endpoint in PROBES:
            return
        sent = request.headers.get("Authorization")
        if sent == "Bearer proxy":
            abort(Response("ask the proxy", 407))
        if sent == "Bearer own":
            raise Unauthorized(response=Response("none of ours", 401))
        if sent == "Bearer late":
            raise CustomHTTPError("the token has expired", 403)
        if sent == "Bearer exit":
            sys.exit(1)
        if sent == "Bearer fault":
            raise KeyError("no such key")
        if sent != "Bearer " + TOKEN:
            abort(401, www_authenticate=[WWWAuthenticate("bearer"), WWWAuthenticate("basic", {"realm": "x"})])

    @app.get("/version/")
    def version():
        return jsonify(model=custom.LOADED, rules=sorted(rule.rule for rule in app.url_map.iter_rules())[:1])

    @app.get("/divide")
    def divide():
        return str(1 / 0)

    @app.errorhandler(ZeroDivisionError)
    def divided(error):
        return "cannot divide", 409

    @app.after_request
    def sign(response):
        if request.query_string == b"after":
            raise ValueError("after the request")
        response.headers["X-Extension"] = "here"
        response.headers["X-Drum-Version"] = "forged"
        return response

    @app.teardown_request
    def clean(error):
        if request.query_string == b"teardown":
            raise ValueError("in the teardown")
"""
FILES = {"custom.py": SCORE, "web/custom_flask.py": EXTENSION, "web/neighbour.py": "TOKEN = 'secret'"}
PREFIX = "/my/pre"
CSV = b"x\n1\n2\n"
GOOD = b'{"predictions":[1.0,2.0]}'


def planted(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = planted(tmp_path_factory.mktemp("model"), FILES)
    with serve(folder, "--target-type", "regression", env={"URL_PREFIX": PREFIX}) as server:
        yield server


def predict(server: Server, token: str | None = "secret", query: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return server.post(f"{PREFIX}/predict/{query}", CSV, "text/csv", headers=headers)


def is_ours(answer: requests.Response, status: int, words: str) -> bool:
    """An error in our form, with our headers."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
    assert answer.headers["X-Request-ID"] == answer.headers["X_Request_ID"] != "mine"
    assert answer.headers["X-Drum-Version"] != "forged"
    assert list(answer.json()) == ["message"]
    return words in answer.json()["message"]


def test_who_may_ask_is_answered(server: Server) -> None:
    answer = predict(server)
    assert (answer.status_code, answer.content) == (200, GOOD)
    assert answer.headers["X-Extension"] == "here"
    assert answer.headers["X-Drum-Version"] != "forged"


@pytest.mark.parametrize("path", ["/info/", "/predict/", "/version/", "/nowhere"])
def test_who_may_not_gets_401_with_every_challenge(server: Server, path: str) -> None:
    prefix = "" if path == "/version/" else PREFIX
    method = "POST" if path == "/predict/" else "GET"
    answer = server.request(method, prefix + path, data=CSV if method == "POST" else None)
    assert is_ours(answer, 401, "ERROR: ")
    assert [text.split()[0] for text in answer.raw.headers.getlist("WWW-Authenticate")] == ["Bearer", "Basic"]
    assert "X-Drum-User-Http-Error" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/ping", "/ping/", "/health/", PREFIX, f"{PREFIX}/", f"{PREFIX}/ping"])
def test_probes_are_spared_by_their_endpoint_with_and_without_the_prefix(server: Server, path: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})


def test_its_own_route_stands_beside_ours_and_knows_the_model(server: Server) -> None:
    answer = server.get("/version/", headers={"Authorization": "Bearer secret", "X-Request-ID": "42"})
    assert (answer.status_code, answer.json()) == (200, {"model": "yes", "rules": ["/"]})
    assert answer.headers["X-Request-ID"] == "42"


def test_its_own_error_handler_is_asked_first(server: Server) -> None:
    answer = server.get("/divide", headers={"Authorization": "Bearer secret"})
    assert (answer.status_code, answer.text) == (409, "cannot divide")


def test_an_error_that_it_raises_on_purpose_has_its_status_message_and_header(server: Server) -> None:
    answer = predict(server, "late")
    assert is_ours(answer, 403, "the token has expired")
    assert answer.headers["X-Drum-User-Http-Error"] == "true"


@pytest.mark.parametrize(("token", "status", "text"), [("proxy", 407, "ask the proxy"), ("own", 401, "none of ours")])
def test_an_answer_that_it_made_itself_is_sent_as_it_is(server: Server, token: str, status: int, text: str) -> None:
    answer = predict(server, token)
    assert (answer.status_code, answer.text) == (status, text)


@pytest.mark.parametrize(
    ("token", "query", "words"),
    [
        ("fault", "", "KeyError('no such key')"),
        ("exit", "", "SystemExit(1)"),
        ("secret", "?after", "ValueError('after the request')"),
        ("secret", "?teardown", "ValueError('in the teardown')"),
        ("secret", "?middleware", "OSError('in the middleware')"),
    ],
)
def test_whatever_it_raises_is_500_in_our_form_and_the_worker_lives_on(
    server: Server, token: str, query: str, words: str
) -> None:
    workers = pids(server)
    answer = predict(server, token, query)
    assert is_ours(answer, 500, f"ERROR: The Flask extension raised. Exception: {words}")
    assert "Traceback" not in answer.text
    assert predict(server).content == GOOD
    assert pids(server) == workers


def pids(server: Server) -> set[int]:
    answer = server.get(f"{PREFIX}/stats/", headers={"Authorization": "Bearer secret"})
    return {entry["pid"] for entry in answer.json()["drum_info"]}


def test_a_middleware_may_choose_its_error_too(server: Server) -> None:
    answer = predict(server, query="?middleware-http")
    assert is_ours(answer, 503, "closed")
    assert answer.headers["X-Drum-User-Http-Error"] == "true"


BROKEN = """
def init_app(app):
    app.add_url_rule("/mine", "mine", lambda: "mine")
    app.before_request(lambda: ("mine", 401))
    raise ValueError("no licence")
"""


def test_an_extension_that_cannot_load_ends_the_process_with_4_and_one_line(tmp_path: Path) -> None:
    folder = planted(tmp_path, {"custom.py": SCORE, "custom_flask.py": BROKEN})
    ended = drum("server", "--code-dir", folder, "--target-type", "regression", "--address", "127.0.0.1:0")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (4, 1), ended.stderr
    assert b"custom_flask.py] raised. Exception: ValueError('no licence')" in ended.stderr


def test_the_error_server_explains_it_and_has_nothing_of_it(tmp_path: Path) -> None:
    folder = planted(tmp_path, {"custom.py": SCORE, "custom_flask.py": BROKEN})
    with serve(folder, "--target-type", "regression", "--with-error-server") as server:
        assert server.get("/mine").status_code == 404
        assert is_ours(server.post("/predict/", CSV), 513, "no licence")


def test_a_batch_takes_no_notice_of_it(tmp_path: Path) -> None:
    folder = planted(tmp_path, {"custom.py": SCORE, "custom_flask.py": BROKEN, "in.csv": "x\n1\n"})
    ended = drum("score", "--code-dir", folder, "--input", folder / "in.csv", "--target-type", "regression")
    assert (ended.returncode, ended.stdout) == (0, b"Predictions\n1.0\n")
