"""The chat routes as bytes: bodies, events, errors, and clients that go away."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import chat_folder
from .conftest import Server, serve

JSON = "application/json"
SPELLINGS = ["/chat/completions", "/chat/completions/", "/v1/chat/completions", "/v1/chat/completions/"]
EXTENSION = """
from flask import request


def init_app(app):
    @app.after_request
    def spoil(response):
        if "X-Spoil" in request.headers:
            raise RuntimeError("spoilt")
        return response
"""
SCORE = """

def score(data, model):
    import pandas
    return pandas.DataFrame({"Predictions": data["x"] * 2})
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = chat_folder.plant(tmp_path_factory.mktemp("model"), SCORE)
    (folder / "custom_flask.py").write_text(EXTENSION)
    with serve(folder, "--target-type", "regression") as server:
        yield server


def asked(text: str = "one two three", **more: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], **more}).encode()


def message(server: Server, body: bytes, status: int, content_type: str | None = JSON) -> str:
    """Send a body that fails and return the message, after a look at the rest."""
    answer = server.post("/v1/chat/completions", body, content_type)
    error = answer.json()["error"]
    assert (answer.status_code, list(error)) == (status, ["message", "type", "param", "code"])
    assert answer.headers["Content-Type"] == JSON
    assert error["type"] == ("invalid_request_error" if status < 500 else "server_error")
    return str(error["message"])


@pytest.mark.parametrize("path", SPELLINGS)
def test_every_spelling_of_the_path_answers(server: Server, path: str) -> None:
    answer = server.post(path, asked(datarobot_association_id=7), JSON)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.json()["choices"][0]["message"]["content"] == "one two three"
    assert answer.json()["datarobot_association_id"] == 7


@pytest.mark.parametrize("path", ["/models", "/models/", "/v1/models", "/v1/models/"])
def test_every_spelling_of_the_models_answers(server: Server, path: str) -> None:
    models = [{"id": "echo", "object": "model", "created": 1735689600, "owned_by": "us"}]
    assert server.get(path).json() == {"object": "list", "data": models}


@pytest.mark.parametrize("content_type", [None, JSON, "application/json; charset=utf-8", "application/x+json"])
def test_json_may_be_called_by_its_names(server: Server, content_type: str | None) -> None:
    assert server.post("/v1/chat/completions", asked(), content_type).status_code == 200


def test_a_stream_is_a_line_of_json_for_each_chunk_and_a_sign_at_its_end(server: Server) -> None:
    answer = server.post("/v1/chat/completions", asked("a\u2028 b", stream=True, datarobot_association_id="z"), JSON)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    *events, end, nothing = answer.content.decode().split("\n\n")
    assert (end, nothing) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == ["a ", "b "]
    assert {chunk["datarobot_association_id"] for chunk in chunks} == {"z"}


def test_a_stream_that_fails_ends_with_an_error_and_without_the_sign(server: Server) -> None:
    answer = server.post("/v1/chat/completions", asked(stream=True, fail_at=1), JSON)
    assert answer.status_code == 200
    first, last, nothing = answer.text.split("\n\n")
    assert first.startswith('data: {"id":"1"')
    name, data = last.split("\n")
    assert (name, nothing) == ("event: error", "")
    assert json.loads(data.removeprefix("data: ")) == {
        "error": {
            "message": "The chat hook raised. Exception: ValueError('the thread is lost') (custom.py:26)",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }


def test_a_stream_that_fails_is_logged_with_its_request(server: Server) -> None:
    body = asked(stream=True, fail_at=1)
    server.post("/v1/chat/completions", body, JSON, headers={"X-Request-ID": "the-lost-thread"})
    (line,) = [line for line in server.log.read_text().splitlines() if "the-lost-thread" in line]
    assert "ERROR drum.server: The chat hook raised. Exception: ValueError('the thread is lost')" in line


def test_a_chunk_is_sent_when_it_is_said(server: Server) -> None:
    begun = time.monotonic()
    with connected(server, asked(stream=True, pause=0.5)) as client:
        assert b'"one "' in read_until(client, b"one")
        assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "broken or cut short"),
        (b'{"messages": [', "broken or cut short at line 1, column 15"),
        (b"\xff", "must be UTF-8"),
        (b"[1]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b'{"datarobot_association_id": []}', "expected a text or a whole number"),
        (b"[" * 100_000, "broken or cut short"),
    ],
)
def test_a_body_that_is_no_object_is_a_bad_request(server: Server, body: bytes, words: str) -> None:
    assert words in message(server, body, 400)


def test_what_is_not_json_is_of_the_wrong_type(server: Server) -> None:
    words = "The content type is 'text/plain', expected application/json"
    assert message(server, asked(), 415, "text/plain") == words


def test_a_compressed_body_is_read_and_an_unknown_encoding_is_refused(server: Server) -> None:
    answer = server.post("/chat/completions", b"x", JSON, headers={"Content-Encoding": "br"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (415, "invalid_request_error")
    assert answer.headers["Accept-Encoding"]


def test_a_wrong_method_is_told_in_the_same_form(server: Server) -> None:
    for answer in (server.get("/v1/chat/completions"), server.post("/v1/models")):
        assert (answer.status_code, answer.json()["error"]["type"]) == (405, "invalid_request_error")
        assert answer.headers["Allow"]


def test_other_routes_keep_their_form_of_errors(server: Server) -> None:
    assert list(server.get("/nowhere").json()) == ["message"]
    assert list(server.post("/predict/", b"").json()) == ["message"]


def test_a_folder_with_score_and_chat_does_both(server: Server) -> None:
    assert server.post("/predict/", b"x\n2\n").json() == {"predictions": [4.0]}
    assert server.get("/capabilities/").json()["supported_methods"] == {"chat": True}


# Clients that go away.


class Connected:
    """A connection on which a chat was asked for."""

    def __init__(self, server: Server, body: bytes, *headers: str) -> None:
        lines = ["POST /v1/chat/completions HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode() + body)

    def __enter__(self) -> socket.socket:
        return self.socket

    def __exit__(self, *_: object) -> None:
        self.socket.close()


connected = Connected


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found:
        more = client.recv(65536)
        assert more, found
        found += more
    return found


def leave(client: socket.socket) -> None:
    client.close()


def stop_sending(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


@pytest.mark.parametrize("go", [leave, stop_sending, reset])
def test_the_generator_is_closed_at_its_next_yield_when_the_client_goes(
    tmp_path: Path, server: Server, go: Callable[[socket.socket], None]
) -> None:
    before = server.log.read_text().count("closed after")
    with connected(server, asked("a " * 50, stream=True, pause=0.3)) as client:
        read_until(client, b'"a "')
        go(client)
        # The only slot is free again as soon as the generator is closed.
        begun = time.monotonic()
        assert server.post("/v1/chat/completions", asked(), JSON).status_code == 200
        assert time.monotonic() - begun < 5
    closed = server.log.read_text().split("closed after")[before + 1 :]
    assert [int(line.split()[0]) for line in closed] == [1]


def test_a_stream_holds_the_slot_until_it_ends(server: Server) -> None:
    with connected(server, asked("a b c", stream=True, pause=0.2)) as client:
        read_until(client, b'"a "')
        begun = time.monotonic()
        assert server.post("/predict/", b"x\n2\n").status_code == 200
        assert time.monotonic() - begun > 0.3
        assert b"[DONE]" in read_until(client, b"[DONE]")


def test_a_stream_whose_answer_an_extension_spoils_gives_its_slot_back(server: Server) -> None:
    body = asked("a " * 50, stream=True)
    answer = server.post("/v1/chat/completions", body, JSON, headers={"X-Spoil": "1"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert server.post("/v1/chat/completions", asked(), JSON, timeout=5).status_code == 200


# Servers of another kind.


def test_a_folder_that_only_chats_starts_and_says_where_it_does(tmp_path: Path) -> None:
    folder = chat_folder.plant(tmp_path)
    with serve(folder, "--target-type", "agenticworkflow") as server:
        assert server.post("/v1/chat/completions", asked(), JSON).status_code == 200
        answer = server.post("/predict/", b"x\n2\n")
        assert answer.status_code == 422
        words = (
            "This model has target type 'agenticworkflow', use the /chat/completions or /v1/chat/completions endpoint."
        )
        assert answer.json() == {"message": f"ERROR: {words}"}


def test_a_folder_that_cannot_be_loaded_is_explained_in_the_same_form(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("def chat(): ...")
    with serve(tmp_path, "--with-error-server") as server:
        assert "The chat hook has the signature chat()" in message(server, asked(), 513)


def test_chats_are_reported_if_that_is_asked_for(tmp_path: Path) -> None:
    folder, spool = chat_folder.plant(tmp_path / "model"), tmp_path / "spool"
    to_files = ("--monitor-settings", f"spooler_type=filesystem;directory={spool}")
    with serve(folder, "--monitor", "--deployment-id", "d", "--model-id", "m", *to_files) as server:
        for more in ({}, {"stream": True}, {"stream": True, "fail_at": 1}):
            body = asked(datarobot_association_id="order 7", **more)
            server.post("/v1/chat/completions", body, JSON, headers={"X-Request-ID": str(more)})
    (file,) = spool.iterdir()
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(one["request_id"], one.get("num_predictions", one.get("predictions"))) for one in records] == [
        ("{}", 1),
        ("{}", ["one two three"]),
        ("{'stream': True}", 1),
        ("{'stream': True}", ["one two three "]),
        ("{'stream': True, 'fail_at': 1}", 0),
    ]
    for one in (records[1], records[3]):
        assert one["features"] == {"columns": ["promptText"], "values": [["one two three"]]}
        assert one["association_ids"] == ["order 7"]


def test_secrets_are_kept_out_of_what_ends_a_stream(tmp_path: Path) -> None:
    source = """
from datarobot_drum import RuntimeParameters

def chat(params, model):
    yield {"object": "chat.completion.chunk"}
    raise ValueError(RuntimeParameters.get("KEY")["apiToken"])
"""
    (tmp_path / "custom.py").write_text(source)
    credential = {"type": "credential", "payload": {"credentialType": "api_token", "apiToken": "not-for-strangers"}}
    with serve(tmp_path, env={"MLOPS_RUNTIME_PARAM_KEY": json.dumps(credential)}) as server:
        answer = server.post("/v1/chat/completions", asked(), JSON)
        assert "event: error" in answer.text
        assert "not-for-strangers" not in answer.text + server.log.read_text()
