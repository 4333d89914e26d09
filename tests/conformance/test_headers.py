"""Headers that every answer carries."""

from __future__ import annotations

import http.client
import socket
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve
from .processes import drum

SOURCE = """
from datarobot_drum import CustomHTTPError

def score(data, model, **kwargs):
    wish = data["x"][0]
    if wish == "teapot":
        raise CustomHTTPError("I am a teapot", 418)
    if wish == "raise":
        raise ValueError("an ordinary failure")
    return data["x"].str.len().to_frame()
"""
LIMIT = 10_000
ANSWERS = {
    "a probe": ("GET", "/", None),
    "facts": ("GET", "/info/", None),
    "predictions": ("POST", "/predict/", b"x\nabc\n"),
    "an unknown path": ("GET", "/nowhere", None),
    "a wrong method": ("GET", "/predict/", None),
    "a body over the limit": ("POST", "/predict/", b"x" * (LIMIT + 1)),
    "a refusal": ("POST", "/predict/", b""),
    "a failure of user code": ("POST", "/predict/", b"x\nraise\n"),
    "an error that user code chose": ("POST", "/predict/", b"x\nteapot\n"),
}
STATUSES = [200, 200, 200, 404, 405, 413, 422, 500, 418]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression", "--max-body-bytes", str(LIMIT)) as server:
        yield server


def ask(server: Server, kind: str, **headers: str) -> requests.Response:
    method, path, body = ANSWERS[kind]
    return server.request(method, path, data=body, headers=headers)


def is_uuid4(text: str) -> bool:
    return str(uuid.UUID(text)) == text.lower() and uuid.UUID(text).version == 4


@pytest.mark.parametrize(("kind", "status"), list(zip(ANSWERS, STATUSES, strict=True)))
def test_every_answer_echoes_the_request_id_in_both_spellings(server: Server, kind: str, status: int) -> None:
    answer = ask(server, kind, **{"X-Request-ID": "my request/42"})
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] == "my request/42"
    assert answer.headers["X_Request_ID"] == "my request/42"


@pytest.mark.parametrize("kind", ANSWERS)
def test_every_answer_gets_an_id_where_none_came(server: Server, kind: str) -> None:
    answer = ask(server, kind)
    assert answer.headers["X-Request-ID"] == answer.headers["X_Request_ID"]
    assert is_uuid4(answer.headers["X-Request-ID"])


def test_every_answer_names_the_version_that_the_command_names(server: Server) -> None:
    version = drum("--version").stdout.decode().strip()
    for kind in ANSWERS:
        assert version == "drum " + ask(server, kind).headers["X-Drum-Version"]


def test_the_underscore_spelling_is_not_read(server: Server) -> None:
    answer = ask(server, "a probe", X_Request_ID="mine")
    assert is_uuid4(answer.headers["X-Request-ID"])


def test_an_empty_id_is_none_at_all(server: Server) -> None:
    assert is_uuid4(ask(server, "a probe", **{"X-Request-ID": ""}).headers["X_Request_ID"])


def test_no_two_requests_get_the_same_id(server: Server) -> None:
    assert len({ask(server, "a probe").headers["X-Request-ID"] for _ in range(20)}) == 20


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if "chose" not in kind])
def test_only_an_error_of_user_code_says_so(server: Server, kind: str) -> None:
    assert "X-Drum-User-Http-Error" not in ask(server, kind).headers


def test_the_error_server_sends_the_same_headers(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("import no_such_library")
    with serve(tmp_path, "--target-type", "regression", "--with-error-server") as broken:
        answer = broken.get("/health/", headers={"X-Request-ID": "mine"})
        assert (answer.status_code, answer.headers["X_Request_ID"]) == (513, "mine")
        assert answer.headers["X-Request-ID"] == "mine"
        assert answer.headers["X-Drum-Version"]


def test_broken_http_is_answered_with_the_headers_too(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nno colon here\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        with closing(answer):
            answer.begin()
            assert answer.status == 400
            assert is_uuid4(str(answer.getheader("X_Request_ID")))
            assert answer.getheader("X-Drum-Version")
