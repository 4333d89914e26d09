"""Bodies that are compressed: every route undoes what `Content-Encoding` names, as far as a limit."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing

import pyarrow
import pytest
import requests

from .conftest import Server, serve

SOURCE = """
def score(data, model, **kwargs):
    return data[["x"]]
"""
UNSTRUCTURED = """
import json

def score_unstructured(model, data, headers, **kwargs):
    body = data if isinstance(data, str) else data.decode("latin-1")
    told = sorted({name.title() for name in headers} & {"Content-Encoding", "Content-Length", "X-Told"})
    return json.dumps([body[:40], len(data), told])
"""
LIMIT = 100_000
CSV = b"x\n1\n2\n"
BOUNDARY = "boundary"


def zstd(data: bytes) -> bytes:
    return bytes(pyarrow.compress(data, "zstd", asbytes=True))


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "zstd": zstd,
    "identity": lambda data: data,
    "gzip, zstd": lambda data: zstd(gzip.compress(data)),
    "ZSTD,identity,GZIP": lambda data: gzip.compress(zstd(data)),
}
STRUCTURED = ("/predict/", "/predictions/", "/invocations")
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    limits = ("--max-body-bytes", str(LIMIT), "--max-decoded-bytes", str(LIMIT))
    with serve(folder, "--target-type", "regression", *limits) as server:
        yield server


@pytest.fixture(scope="module")
def unstructured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(UNSTRUCTURED)
    with serve(folder, "--target-type", "unstructured", "--max-decoded-bytes", str(LIMIT)) as server:
        yield server


def multipart(table: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="X"; filename="X.csv"\r\n\r\n'
    return head.encode() + table + f"\r\n--{BOUNDARY}--\r\n".encode()


def send(server: Server, path: str, body: bytes, encoding: str, content_type: str = "text/csv") -> requests.Response:
    return server.post(path, body, content_type, headers={"Content-Encoding": encoding})


def refusal(answer: requests.Response) -> tuple[int, str]:
    assert list(answer.json()) == ["message"]
    message = answer.json()["message"]
    assert message.startswith("ERROR: ")
    return answer.status_code, message


@pytest.mark.parametrize("path", STRUCTURED)
@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_table_arrives_in_every_encoding_raw_and_in_a_form(server: Server, path: str, encoding: str) -> None:
    for body, content_type in ((CSV, "text/csv"), (multipart(CSV), FORM)):
        answer = send(server, path, ENCODERS[encoding](body), encoding, content_type)
        assert (answer.status_code, answer.content) == (200, b'{"predictions":[1.0,2.0]}')


@pytest.mark.parametrize("path", ["/predictUnstructured/", "/predictionsUnstructured/"])
@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_hook_gets_the_decoded_body_and_no_header_of_the_encoded_one(
    unstructured: Server, path: str, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding, "X-Told": "yes"}
    for content_type in ("text/plain", "application/octet-stream", FORM):
        answer = unstructured.post(path, ENCODERS[encoding](b"body"), content_type, headers=headers)
        assert (answer.status_code, answer.json()) == (200, ["body", 4, ["X-Told"]])


def test_a_hook_is_told_the_length_of_a_plain_body(unstructured: Server) -> None:
    answer = unstructured.post("/predictUnstructured/", b"body", "text/plain", headers={"X-Told": "yes"})
    assert answer.json() == ["body", 4, ["Content-Length", "X-Told"]]


def test_members_and_chunks_make_one_body(server: Server) -> None:
    members = [gzip.compress(b"x\n1\n"), gzip.compress(b""), gzip.compress(b"2\n")]
    for data in (b"".join(members), iter(members), iter([bytes([byte]) for byte in b"".join(members)])):
        answer = server.post("/predict/", data, "text/csv", headers={"Content-Encoding": "gzip"})
        assert answer.json() == {"predictions": [1.0, 2.0]}


@pytest.mark.parametrize("encoding", ["br", "deflate", "compress", "junk", "gzip, br", "gzip, gzip, gzip"])
def test_another_encoding_is_415_and_the_answer_lists_what_works(
    server: Server, unstructured: Server, encoding: str
) -> None:
    asked = [send(server, path, CSV, encoding) for path in STRUCTURED]
    asked.append(send(server, "/predict/", multipart(CSV), encoding, FORM))
    asked.append(send(unstructured, "/predictUnstructured/", CSV, encoding))
    for answer in asked:
        assert refusal(answer)[0] == 415
        assert answer.headers["Accept-Encoding"] == "gzip, zstd"


BROKEN = {
    "plain": CSV,
    "cut short": gzip.compress(CSV)[:-4],
    "only a head": gzip.compress(CSV)[:10],
    "another encoding": zstd(CSV),
    "a tail": gzip.compress(CSV) + b"3\n",
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("form", ["raw", "form", "unstructured"])
def test_broken_data_is_400_in_one_sentence(server: Server, unstructured: Server, fault: str, form: str) -> None:
    if form == "unstructured":
        answer = send(unstructured, "/predictUnstructured/", BROKEN[fault], "gzip")
    else:
        answer = send(server, "/predict/", BROKEN[fault], "gzip", FORM if form == "form" else "text/csv")
    status, message = refusal(answer)
    assert (status, "The gzip data is broken" in message) == (400, True)
    assert message.count("\n") == 0


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_an_empty_body_is_no_table_in_every_encoding(server: Server, encoding: str) -> None:
    for body in (b"", ENCODERS[encoding](b"")):
        status, message = refusal(send(server, "/predict/", body, encoding))
        assert (status, "Samples should be provided as" in message) == (422, True)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "gzip, zstd"])
@pytest.mark.parametrize("form", ["raw", "form", "unstructured"])
def test_the_limit_is_on_the_decoded_body(server: Server, unstructured: Server, encoding: str, form: str) -> None:
    room = LIMIT - (len(multipart(b"")) if form == "form" else 0)
    for size, expected in ((room, 200), (room + 1, 413), (200 * LIMIT, 413)):
        body = (b"x" + b"\n1" * (size // 2) + b"\n")[:size].ljust(size, b"\n")
        if form == "unstructured":
            answer = send(unstructured, "/predictUnstructured/", ENCODERS[encoding](body), encoding)
        elif form == "form":
            answer = send(server, "/predict/", ENCODERS[encoding](multipart(body)), encoding, FORM)
        else:
            answer = send(server, "/predict/", ENCODERS[encoding](body), encoding)
        assert answer.status_code == expected
        if expected == 413:
            assert f"the limit of {LIMIT} bytes (--max-decoded-bytes)" in refusal(answer)[1]


def test_the_limit_on_the_encoded_body_stays(server: Server) -> None:
    stored = gzip.compress(CSV + b"1\n" * (LIMIT // 2 - len(CSV)), compresslevel=0)
    assert len(stored) > LIMIT
    for data in (stored, iter([stored])):
        answer = server.post("/predict/", data, "text/csv", headers={"Content-Encoding": "gzip"})
        assert "(--max-body-bytes)" in refusal(answer)[1]
        assert answer.status_code == 413


def test_an_encoded_body_exactly_at_the_limit_is_read(server: Server) -> None:
    body = gzip.compress(CSV)
    padding = LIMIT - len(body) - len(gzip.compress(b""))
    # A member's name is free text.
    extra = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (padding - 1) + b"\0" + gzip.compress(b"")[10:]
    assert len(body + extra) == LIMIT
    assert send(server, "/predict/", body + extra, "gzip").json() == {"predictions": [1.0, 2.0]}
    chunked = server.post("/predict/", iter([body + extra]), "text/csv", headers={"Content-Encoding": "gzip"})
    assert chunked.json() == {"predictions": [1.0, 2.0]}


def test_a_body_that_stops_half_way_is_400(server: Server) -> None:
    body = gzip.compress(CSV)
    head = f"POST /predict/ HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.connect()
        connection.sock.sendall(head.encode() + body[:-3])
        connection.sock.shutdown(1)
        with closing(http.client.HTTPResponse(connection.sock)) as answer:
            answer.begin()
            assert (answer.status, "message" in json.loads(answer.read())) == (400, True)


def test_a_refused_body_leaves_the_connection_in_order(server: Server) -> None:
    bomb = gzip.compress(bytes(100 * LIMIT))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        for body, encoding, status in (
            (CSV, "identity", 200),
            (bomb, "gzip", 413),
            (CSV, "gzip", 400),
            (CSV, "br", 415),
            (gzip.compress(CSV), "gzip", 200),
        ):
            connection.request("POST", "/predict/", body, {"Content-Type": "text/csv", "Content-Encoding": encoding})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
