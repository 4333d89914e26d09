"""What a server refuses to do has the headers and the shape that `drum_server_api.yaml` promises."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from .conftest import Server, serve
from .test_api_file import API, check, check_body, promised

# Answers when there is a file beside it.
SOURCE = """
import pathlib, time

def score(data, model, **kwargs):
    while not pathlib.Path(__file__).with_name("end").exists():
        time.sleep(0.01)
    return data[["x"]]
"""
KEY = {"X-API-Key": "one-of-the-api-keys"}
WORDS = ("--target-type", "regression", "--max-queue", "0", "--request-timeout", "1", "--receive-timeout", "3")
POSTS = [path for path, methods in API["paths"].items() if "post" in methods]
CALLS = [*(("post", path) for path in POSTS), ("get", "/models"), ("get", "/v1/models")]
OPERATIONS = [
    (method, path) for path, methods in API["paths"].items() for method in ("get", "post") if method in methods
]
LONG = 2 << 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, *WORDS, env={"API_KEYS": KEY["X-API-Key"]}) as server:
        yield server


def test_no_valid_key_on_every_operation_that_is_not_open(server: Server) -> None:
    for method, path in OPERATIONS:
        answer = server.request(method.upper(), path, headers={"Authorization": "Bearer none"})
        if API["paths"][path][method].get("security") == []:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 401
            check(answer, promised(method, path, 401))


def test_a_model_that_takes_too_long_and_every_call_meanwhile(server: Server, folder: Path) -> None:
    answer = server.post("/predict/", "x\n1\n", "text/csv", headers=KEY)
    assert answer.status_code == 504
    check(answer, promised("post", "/predict/", 504))
    for method, path in CALLS:
        answer = server.request(method.upper(), path, headers=KEY)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"]
        check(answer, promised(method, path, 429))
    (folder / "end").touch()
    while server.get("/readyz").status_code == 503:
        time.sleep(0.01)


def test_requests_that_come_in_half(server: Server) -> None:
    bodies = (b"", b"\r\nx", b"\r\n" + b"x" * LONG)
    with ExitStack() as stack:
        waiting = [(half(server, path, body, stack), path) for path in POSTS for body in bodies]
        for client, path in waiting:
            answer = stack.enter_context(closing(http.client.HTTPResponse(client)))
            answer.begin()
            assert (answer.status, answer.headers["Connection"]) == (408, "close")
            promise = promised("post", path, 408)
            assert set(promise["headers"]) <= set(answer.headers)
            check_body(json.loads(answer.read()), promise, "application/json")


def half(server: Server, path: str, body: bytes, stack: ExitStack) -> socket.socket:
    """Return a connection on which a request was begun."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
    head = f"POST {path} HTTP/1.1\r\nX-API-Key: {KEY['X-API-Key']}\r\nContent-Length: {2 * LONG}\r\n"
    client.sendall(head.encode() + body)
    return client


def test_a_folder_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("raise ValueError('broken on purpose')\n")
    with serve(tmp_path, "--target-type", "regression", "--with-error-server") as server:
        answers = {(method, path): server.request(method.upper(), path) for method, path in OPERATIONS}
    statuses = {513: ["/", "/ping/", "/health/", *POSTS], 503: ["/readyz"], 200: ["/livez", "/metrics"]}
    expected = {path: status for status, paths in statuses.items() for path in paths}
    for (method, path), answer in answers.items():
        assert answer.status_code == expected.get(path, 404), path
        check(answer, promised(method, path, answer.status_code))
