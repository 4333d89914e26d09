"""Too many calls, and calls that take too long: refused at once, and nobody gets the answer of another."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve

# Sleeps for as long as it is told, or until there is a file beside it, and says what it was asked.
SOURCE = """
import pathlib, time

def score(data, model, **kwargs):
    end = time.monotonic() + float(data["seconds"][0])
    while time.monotonic() < end and not pathlib.Path(__file__).with_name("end").exists():
        time.sleep(0.01)
    return data[["number"]]

def chat(params, model):
    return {"choices": []}
"""
SECONDS = "1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "custom.py").write_text(SOURCE)
    return tmp_path


def rows(number: int, seconds: float) -> str:
    return f"number,seconds\n{number},{seconds}\n"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gauge(server: Server, name: str) -> float:
    lines = server.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_a_call_finds_the_worker_that_is_free(folder: Path) -> None:
    options = ("--target-type", "regression", "--max-workers", "2", "--max-queue", "0")
    with serve(folder, *options) as server, ThreadPoolExecutor(1) as client:
        until(lambda: gauge(server, 'drum_workers{state="ready"}') == 2)
        long = client.submit(server.post, "/predict/", rows(1, 60))
        until(lambda: gauge(server, "drum_calls_in_flight") == 1)
        answers = [server.post("/predict/", rows(number, 0)) for number in range(30)]
        (folder / "end").touch()
        assert long.result(30).status_code == 200
    assert [answer.json()["predictions"] for answer in answers] == [[number] for number in range(30)]


def test_a_full_queue_is_429_at_once_on_every_route_and_probes_say_so(folder: Path) -> None:
    with (
        serve(folder, "--target-type", "textgeneration", "--max-queue", "2", env={"TARGET_NAME": "number"}) as server,
        ThreadPoolExecutor(3) as clients,
    ):
        asked = [clients.submit(server.post, "/predict/", rows(n, 600)) for n in range(3)]
        until(lambda: server.get("/readyz").status_code == 503)
        assert "the queue is full" in server.get("/readyz").json()["message"]
        refused = server.post("/predict/", rows(9, 0))
        chat = server.post("/v1/chat/completions", "{}", "application/json")
        assert server.get("/livez").status_code == server.get("/ping/").status_code == 200
        (folder / "end").touch()
        answers = [one.result() for one in asked]
        assert server.post("/predict/", rows(9, 0)).status_code == 200
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json()["message"].startswith("ERROR: The server takes no further call now")
    assert (chat.status_code, chat.headers["Retry-After"]) == (429, "1")
    assert chat.json()["error"]["type"] == "rate_limit_error"
    assert chat.json()["error"]["code"] == "rate_limit_exceeded"
    assert [answer.json() for answer in answers] == [{"predictions": [n]} for n in range(3)]


def test_the_longest_queue_leaves_room_for_connections_that_stay_open(folder: Path) -> None:
    words = ("--target-type", "textgeneration", "--max-queue", "1000")
    with serve(folder, *words, env={"TARGET_NAME": "number"}) as server, ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)))
            client.request("GET", "/ping/")
            answer = client.getresponse()
            assert answer.read()
            assert answer.headers["Connection"] == "keep-alive"
        assert "gunicorn" not in server.log.read_text()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    parameter = {"MLOPS_RUNTIME_PARAM_DRUM_CLIENT_REQUEST_TIMEOUT": json.dumps({"type": "numeric", "payload": 1})}
    env = {"TARGET_NAME": "number", **parameter}
    with serve(folder, "--target-type", "textgeneration", env=env) as server:
        yield server


def test_a_call_that_takes_too_long_is_504_and_the_connection_ends(hasty: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", hasty.port, timeout=20)) as client:
        start = time.monotonic()
        client.request("POST", "/predict/", rows(1, 2.0), {"X-Request-ID": "mine"})
        answer = client.getresponse()
        seconds = time.monotonic() - start
        body = json.loads(answer.read())
        assert answer.status == 504
        assert answer.headers["Connection"] == "close"
        assert answer.headers["X-Request-ID"] == "mine"
        assert "--request-timeout" in body["message"]
        assert 0.9 < seconds < 1.8
        assert gauge(hasty, 'drum_requests_total{route="/predict",status="504"}') == 1
    # The call still has its slot; whoever waits for it too long is refused as well.
    waited = hasty.post("/predict/", rows(2, 0.0))
    assert waited.json() == {"predictions": [2]} if waited.ok else waited.status_code == 504
    until(lambda: hasty.post("/predict/", rows(3, 0.0)).status_code == 200)
    assert hasty.post("/predict/", rows(4, 0.0)).json() == {"predictions": [4]}


def test_who_waits_for_the_model_too_long_is_504_too(hasty: Server) -> None:
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(hasty.post, "/predict/", rows(1, 3.0))
        time.sleep(0.3)
        start = time.monotonic()
        second = hasty.post("/predict/", rows(2, 0.0))
        seconds = time.monotonic() - start
        assert first.result().status_code == 504
    assert second.status_code == 504
    assert second.headers["Connection"] == "close"
    assert "waited" in second.json()["message"]
    assert 0.9 < seconds < 1.9
    until(lambda: hasty.post("/predict/", rows(3, 0.0)).status_code == 200)


EXTENSION = """
from custom_model_runner.errors import TimedOut
from flask import request

def init_app(app):
    @app.post("/inner")
    def ask_inside():
        return app.test_client().post("/predict/", data=request.get_data(), content_type="text/csv").get_data()

    @app.errorhandler(TimedOut)
    def fail(error):
        raise OSError("in the handler")
"""


def test_deadlines_outlast_what_an_extension_does(folder: Path) -> None:
    (folder / "custom_flask.py").write_text(EXTENSION)
    words = ("--target-type", "textgeneration", "--request-timeout", SECONDS)
    with serve(folder, *words, env={"TARGET_NAME": "number"}) as server:
        # A request that is made inside of flask has no deadline of its own.
        assert server.post("/inner", rows(1, 1.5)).json() == {"predictions": [1]}
        for number in (2, 3):
            start = time.monotonic()
            answer = server.post("/predict/", rows(number, 2.0))
            assert time.monotonic() - start < 1.8
            assert answer.status_code == 500
            assert "in the handler" in answer.json()["message"]
            until(lambda: gauge(server, "drum_calls_in_flight") == 0)


def test_a_second_request_on_the_connection_of_a_refused_one_gets_no_answer_that_is_not_its_own(
    hasty: Server,
) -> None:
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=20) as client:
        for number, seconds in ((1, 1.3), (2, 0.0)):
            body = rows(number, seconds)
            client.sendall(f"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        received = b""
        while data := client.recv(65536):
            received += data
    assert received.startswith(b"HTTP/1.1 504 ")
    assert received.count(b"HTTP/1.1 ") == 1
    until(lambda: hasty.post("/predict/", rows(3, 0.0)).status_code == 200)


def test_a_worker_with_a_stuck_call_is_replaced_after_the_grace_period(folder: Path) -> None:
    grace = {"MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_GRACEFUL_TIMEOUT": json.dumps({"type": "numeric", "payload": 1})}
    words = ("--target-type", "textgeneration", "--request-timeout", SECONDS)
    with serve(folder, *words, env={"TARGET_NAME": "number", **grace}) as server:
        assert server.post("/predict/", rows(1, 600)).status_code == 504
        until(lambda: "long after its deadline" in server.log.read_text())

        def answers() -> bool:
            try:
                return server.post("/predict/", rows(2, 0)).status_code == 200
            except requests.ConnectionError:
                return False

        until(answers)
        assert gauge(server, 'drum_worker_restarts_total{reason="stuck"}') == 1
