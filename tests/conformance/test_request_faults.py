"""Requests that cannot be used: the right 4xx as JSON, and the payload is not echoed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from .conftest import Server, serve

SOURCE = """
def score(data, model, **kwargs):
    return data[["x"]]
"""
UNSTRUCTURED = """
def score_unstructured(model, data, **kwargs):
    return data
"""
CSV = b"x\n1\n"
NO_SAMPLES = "ERROR: Samples should be provided as:   - a csv or mtx under `X` form-data param key.  - binary data"
GO_UNSTRUCTURED = (
    "ERROR: This model has target type 'unstructured', "
    "use the /predictUnstructured/ or /predictionsUnstructured/ endpoint."
)
LIMIT = 100_000
SECRET = "s3cr3t"
BOUNDARY = "boundary"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression", "--max-body-bytes", str(LIMIT)) as server:
        yield server


@pytest.fixture(scope="module")
def unstructured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(UNSTRUCTURED)
    with serve(folder, "--target-type", "unstructured", "--max-body-bytes", str(LIMIT)) as server:
        yield server


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return status and message, after the shape of the answer was checked."""
    assert answer.headers["Content-Type"] == "application/json"
    assert list(answer.json()) == ["message"]
    message = answer.json()["message"]
    assert message.startswith("ERROR: ")
    return answer.status_code, message


@pytest.mark.parametrize("path", ["/predict/", "/predictions/", "/invocations"])
def test_no_samples_is_422_with_the_words_that_callers_match(server: Server, path: str) -> None:
    wrong_file = server.post(path, files={"data": ("X.csv", CSV, "text/csv")})
    wrong_field = server.post(path, files={"x": (None, CSV)})
    only_names = server.post(path, files={"X.colnames": ("X.colnames", b"x")})
    form = server.post(path, CSV, "application/x-www-form-urlencoded")
    empty = [server.post(path, b"", kind) for kind in (None, "text/csv", "text/plain")]
    empty_form = server.post(path, b"", "application/x-www-form-urlencoded")
    empty_part = server.post(path, files={"X": ("X.csv", b"", "text/csv")})
    for found, answers in {
        "a form without the part X": (wrong_file, wrong_field, only_names),
        "a form of curl; say what the data is: -H 'Content-Type: text/csv'": (form, empty_form),
        "nothing: the body is empty": empty,
        "nothing: the part X is empty": (empty_part,),
    }.items():
        for answer in answers:
            assert refusal(answer) == (422, f"{NO_SAMPLES} (found {found})")


@pytest.mark.parametrize(
    "content_type",
    ["application/xml", "application/octet-stream", "text/html", "image/png", "junk", "a/b/c"],
)
def test_an_unknown_content_type_is_422_and_named(server: Server, content_type: str) -> None:
    status, message = refusal(server.post("/predict/", CSV, content_type))
    assert status == 422
    assert "not supported" in message
    assert "payload format" in message.lower()
    assert content_type in message


BROKEN = {
    "not UTF-8": f"x,t\n1,{SECRET}".encode() + b"\xff\n",
    "UTF-16": f"x,t\n1,{SECRET}\n".encode("utf-16"),
    "too many fields": f"x,t\n1,a\n2,{SECRET},{SECRET},3\n".encode(),
    "an open quote": f'x,t\n1,"{SECRET}\n2,{SECRET}'.encode(),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("form", ["raw", "file", "field"])
def test_a_table_that_cannot_be_read_is_422_without_an_echo(server: Server, fault: str, form: str) -> None:
    body = BROKEN[fault]
    if form == "raw":
        answer = server.post("/predict/", body, "text/csv")
    else:
        answer = server.post("/predict/", files={"X": ("X.csv" if form == "file" else None, body)})
    status, message = refusal(answer)
    assert status == 422
    assert SECRET not in message
    if fault == "not UTF-8":
        assert "UTF-8" in message


def test_a_multipart_body_without_its_boundary_is_refused(server: Server) -> None:
    expected = "ERROR: The multipart form is broken: a part has no name, or its end is missing"
    assert refusal(server.post("/predict/", CSV, "multipart/form-data")) == (422, expected)


def test_a_body_at_the_limit_is_read(server: Server) -> None:
    body = b"x\n" + b"1\n" * ((LIMIT - 2) // 2)
    assert len(body) == LIMIT
    assert server.post("/predict/", body, "text/csv").status_code == 200


def multipart(table: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="X"; filename="X.csv"\r\n\r\n'
    return head.encode() + table + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("size", [LIMIT + 2, 20 * LIMIT])
@pytest.mark.parametrize("form", ["raw", "chunked", "file", "chunked file", "field", "urlencoded"])
def test_a_body_over_the_limit_is_413(server: Server, form: str, size: int) -> None:
    body = b"x\n" + b"1\n" * (size // 2)
    forms: dict[str, dict[str, Any]] = {
        "raw": {"data": body, "content_type": "text/csv"},
        "chunked": {"data": iter([body]), "content_type": "text/csv"},
        "file": {"files": {"X": ("X.csv", body)}},
        "chunked file": {"data": iter([multipart(body)]), "content_type": f"multipart/form-data; boundary={BOUNDARY}"},
        "field": {"files": {"X": (None, body)}},
        "urlencoded": {"data": body, "content_type": "application/x-www-form-urlencoded"},
    }
    status, message = refusal(server.post("/predict/", **forms[form]))
    assert status == 413
    assert str(LIMIT) in message


def test_a_body_over_the_limit_is_413_for_an_unstructured_model_too(unstructured: Server) -> None:
    for data in (b"x" * (LIMIT + 1), iter([b"x" * (LIMIT + 1)])):
        assert refusal(unstructured.post("/predictUnstructured/", data))[0] == 413


@pytest.mark.parametrize("path", ["/predictUnstructured/", "/predictionsUnstructured/"])
def test_a_structured_model_sends_callers_to_predict(server: Server, path: str) -> None:
    status, message = refusal(server.post(path, CSV, "text/csv"))
    assert status == 422
    assert "/predict/" in message


@pytest.mark.parametrize("path", ["/predict/", "/predictions/", "/invocations"])
def test_an_unstructured_model_sends_callers_to_its_routes_in_exact_words(unstructured: Server, path: str) -> None:
    assert refusal(unstructured.post(path, CSV, "text/csv")) == (422, GO_UNSTRUCTURED)
    assert refusal(unstructured.post(path, b"{}", "application/json")) == (422, GO_UNSTRUCTURED)


HEAD = b"POST /predict/ HTTP/1.1\r\nHost: h\r\n"
RAW = {
    "no request line": (400, b"hello\r\n\r\n"),
    "a bad length": (400, HEAD + b"Content-Length: many\r\n\r\n"),
    "two lengths": (400, HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nx\n1\n"),
    "a bad header": (400, b"GET / HTTP/1.1\r\nHost: h\r\nno colon here\r\n\r\n"),
    "a bad chunk": (400, HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"),
    "a long request line": (414, b"GET /" + 10_000 * b"x" + b" HTTP/1.1\r\nHost: h\r\n\r\n"),
    "an unknown expectation": (417, HEAD + b"Expect: miracles\r\nContent-Length: 4\r\n\r\nx\n1\n"),
    "a long header": (431, b"GET / HTTP/1.1\r\nHost: h\r\nX: " + 10_000 * b"x" + b"\r\n\r\n"),
    "an unknown transfer encoding": (501, HEAD + b"Transfer-Encoding: brotli\r\n\r\nx\n1\n"),
}


@pytest.mark.parametrize("fault", RAW)
def test_broken_http_is_refused_as_json(server: Server, fault: str) -> None:
    status, sent = RAW[fault]
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.connect()
        connection.sock.sendall(sent)
        answer = http.client.HTTPResponse(connection.sock)
        with closing(answer):
            answer.begin()
            assert (answer.status, answer.getheader("Content-Type")) == (status, "application/json")
            assert json.loads(answer.read())["message"].startswith("ERROR: ")


def test_a_refused_request_leaves_the_connection_and_the_server_in_order(server: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        for body, status in ((CSV, 200), (b"\xff", 422), (CSV, 200), (b"", 422), (CSV, 200)):
            connection.request("POST", "/predict/", body, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
