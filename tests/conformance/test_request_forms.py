"""What content types, parts and connections `/predict/` takes a CSV table by."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from .conftest import Server, serve

# A text of one letter counts 1 when it was read as UTF-8, and 2 when the charset of the request was believed.
SOURCE = """
def score(data, model, **kwargs):
    return (data["x"].astype(float) + data["t"].astype(str).str.len()).to_frame()
"""
CSV = "x,t\n1,é\n2.5,abc\n".encode()
BODY = b'{"predictions":[2.0,5.5]}'
ROUTES = ["/predict/", "/predictions/", "/invocations"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression") as server:
        yield server


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/csv",
        "text/plain",
        "TEXT/CSV",
        "text/csv; charset=utf-8",
        "text/csv;charset=latin-1",
        "text/plain; charset=no-such-charset",
        "text/csv; header=present",
    ],
)
def test_a_raw_body_is_read_as_utf8_csv(server: Server, path: str, content_type: str | None) -> None:
    answer = server.post(path, CSV, content_type)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["Content-Type"] == "application/json"


def test_an_empty_content_type_is_none_at_all(server: Server) -> None:
    answer = server.post("/predict/", CSV, headers={"Content-Type": ""})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_a_chunked_body_is_read_like_one_with_a_length(server: Server) -> None:
    answer = server.post("/predict/", iter([CSV[:7], CSV[7:]]), "text/csv")
    assert (answer.status_code, answer.content) == (200, BODY)


@pytest.mark.parametrize(
    "part",
    [
        ("X.csv", CSV, "text/csv"),
        ("X", CSV, "application/octet-stream"),
        ("rows", CSV),
        (None, CSV),
        (None, CSV, "text/csv"),
        (None, CSV, "text/plain; charset=utf-8"),
    ],
    ids=["file", "octet-stream file", "untyped file", "field", "csv field", "text field"],
)
@pytest.mark.parametrize("path", ROUTES)
def test_the_part_x_is_taken_as_a_file_and_as_a_field(server: Server, path: str, part: tuple[str | None, ...]) -> None:
    answer = server.post(path, files={"X": part})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_parts_beside_x_are_ignored(server: Server) -> None:
    answer = server.post("/predict/", files={"note": (None, "hello"), "X": ("X.csv", CSV)})
    assert (answer.status_code, answer.content) == (200, BODY)


@pytest.mark.parametrize("content_type", ["text/csv", None])
def test_a_lone_header_gives_no_predictions(server: Server, content_type: str | None) -> None:
    answer = server.post("/predict/", b"x,t\n", content_type)
    assert (answer.status_code, answer.content) == (200, b'{"predictions":[]}')


def test_a_byte_order_mark_is_no_part_of_the_first_name(server: Server) -> None:
    answer = server.post("/predict/", b"\xef\xbb\xbf" + CSV, "text/csv")
    assert (answer.status_code, answer.content) == (200, BODY)


def test_query_parameters_do_not_matter(server: Server) -> None:
    assert server.post("/predict/?a=1&X=2", CSV, "text/csv").content == BODY


def test_many_requests_use_one_connection(server: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        for _ in range(5):
            connection.request("POST", "/predict/", CSV, {"Content-Type": "text/csv"})
            taken = connection.sock
            assert connection.getresponse().read() == BODY
            assert connection.sock is taken, "the server closed the connection"
