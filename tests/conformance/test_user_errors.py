"""Errors that user code raises on purpose: from every hook, on every route, with every status that it can think of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve

SOURCE = """
from http import HTTPStatus

import pandas
from custom_model_runner import CustomHTTPError as Ours
from datarobot_drum import BaseCustomUserError, CustomHTTPError

wish = {}


class Busy(CustomHTTPError):
    def __init__(self, ship):
        super().__init__(ship + " is busy", 429)


class Careless(CustomHTTPError):
    def __init__(self, ship):
        self.message = ship + " is busy"
        self.status_code = 429


class Bare(BaseCustomUserError):
    pass


class WithStatus(BaseCustomUserError):
    status_code = 451


def maybe(hook):
    if wish["hook"] == hook:
        raise eval(wish["error"])


def read(data):
    wish["hook"], wish["error"] = data.decode().split("|", 1)


def read_input_data(data):
    read(data)
    maybe("read_input_data")
    return pandas.DataFrame({"x": [1.0]})


def transform(data, model):
    maybe("transform")
    return data


def score(data, model, **kwargs):
    maybe("score")
    return data


def post_process(predictions, model):
    maybe("post_process")
    return predictions


def score_unstructured(model, data, **kwargs):
    read(data if isinstance(data, bytes) else data.encode())
    maybe("score_unstructured")
    return "fine"
"""
HOOKS = ["read_input_data", "transform", "score", "post_process"]
STRUCTURED = ["/predict/", "/predictions/", "/invocations"]
UNSTRUCTURED = ["/predictUnstructured/", "/predictionsUnstructured/"]
NO_ERRORS = ["200", "302", "399", "600", "0", "-404", "True", "None", "'many'", "[404]", "float('nan')", "1e400"]
ERRORS = {
    "CustomHTTPError('I am a teapot', 418)": (418, "I am a teapot"),
    "CustomHTTPError('try later', status_code=503)": (503, "try later"),
    "CustomHTTPError('no status given')": (400, "no status given"),
    "Ours('of our own package', 409)": (409, "of our own package"),
    "Busy('Argo')": (429, "Argo is busy"),
    "Careless('Argo')": (429, "Argo is busy"),
    "Bare('no status at all')": (500, "no status at all"),
    "Bare()": (500, ""),
    "WithStatus('not here')": (451, "not here"),
    # Statuses.
    "CustomHTTPError('lowest', 400)": (400, "lowest"),
    "CustomHTTPError('highest', 599)": (599, "highest"),
    "CustomHTTPError('of the library', HTTPStatus.NOT_FOUND)": (404, "of the library"),
    "CustomHTTPError('as text', '404')": (404, "as text"),
    "CustomHTTPError('as a float', 404.0)": (404, "as a float"),
    **{
        f"CustomHTTPError('no error', {status})": (500, "no error")
        for status in (
            "200",
            "302",
            "399",
            "600",
            "0",
            "-404",
            "True",
            "None",
            "'many'",
            "[404]",
            "float('nan')",
            "1e400",
        )
    },
    # Messages.
    "CustomHTTPError('ключ \\u00e9 \\U0001f6a2', 404)": (404, "ключ é \U0001f6a2"),
    "CustomHTTPError('two\\nlines', 404)": (404, "two\nlines"),
    "CustomHTTPError('half a pair \\ud800', 404)": (404, "half a pair \ud800"),
    "CustomHTTPError('', 404)": (404, ""),
    "CustomHTTPError(None, 404)": (404, "None"),
    "CustomHTTPError(17, 404)": (404, "17"),
    "CustomHTTPError({'ship': 'Argo'}, 404)": (404, "{'ship': 'Argo'}"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression") as server:
        yield server


def is_chosen(answer: requests.Response, status: int, message: str) -> bool:
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert answer.headers["Content-Type"] == "application/json"
    return answer.headers.get("X-Drum-User-Http-Error") == "true"


@pytest.mark.parametrize("path", STRUCTURED)
@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_chooses_status_and_message_on_every_route(server: Server, hook: str, path: str) -> None:
    body = f"{hook}|CustomHTTPError('gone', 410)".encode()
    assert is_chosen(server.post(path, body), 410, "gone")
    assert is_chosen(server.post(path, files={"X": body}), 410, "gone")


@pytest.mark.parametrize("path", UNSTRUCTURED)
@pytest.mark.parametrize("content_type", [None, "application/octet-stream"])
def test_the_unstructured_hook_does_so_too(server: Server, path: str, content_type: str | None) -> None:
    body = b"score_unstructured|CustomHTTPError('gone', 410)"
    assert is_chosen(server.post(path, body, content_type), 410, "gone")


@pytest.mark.parametrize("error", ERRORS)
def test_whatever_is_chosen_the_answer_is_an_error_with_its_message(server: Server, error: str) -> None:
    status, message = ERRORS[error]
    assert is_chosen(server.post("/predict/", f"score|{error}".encode()), status, message)


def test_without_an_error_each_route_answers(server: Server) -> None:
    assert server.post("/predict/", b"none|").content == b'{"predictions":[1.0]}'
    assert server.post("/predictUnstructured/", b"none|").content == b"fine"


def test_the_hooks_of_a_transform_model_do_so_too(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with serve(tmp_path, "--target-type", "transform") as server:
        for hook in ("read_input_data", "transform"):
            body = f"{hook}|CustomHTTPError('gone', 410)".encode()
            assert is_chosen(server.post("/transform/", body), 410, "gone")
            assert is_chosen(server.post("/transform/", files={"X": body}), 410, "gone")
