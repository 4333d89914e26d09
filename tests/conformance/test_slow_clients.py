"""Clients that send slowly, or half, or do not read or go away: nobody else waits for them."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import certificates
from .conftest import Server, serve

SOURCE = """
def score(data, model, **kwargs):
    return data[["x"]]
"""
CSV = b"x\n1\n"
# More than a worker has threads: with these options 48, of which 32 may read large bodies.
CLIENTS = 60
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HALF_REQUESTS = {
    "nothing": b"",
    "half a line": b"POST /predi",
    "half a head": b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Le",
    "half a body": b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx\n1\n",
    "no body yet": b"POST /predict/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    "half a large body": b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + 66_000 * b"x",
    "half a chunk": b"POST /predict/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nx\n1\n",
}
LARGE = b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x\n" + b"1\n" * 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression", "--max-queue", "0", "--receive-timeout", "2") as server:
        yield server


def connected(server: Server, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    client.sendall(sent)
    return client


def rest_of(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65536):
        received += data
    return received


def seconds_of_a_request(server: Server) -> float:
    start = time.monotonic()
    assert server.post("/predict/", CSV, "text/csv").json() == {"predictions": [1]}
    assert server.get("/ping/").status_code == 200
    return time.monotonic() - start


@pytest.mark.parametrize("half", HALF_REQUESTS)
def test_half_a_request_keeps_nobody_waiting_and_ends_with_408(server: Server, half: str) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server, HALF_REQUESTS[half])) for _ in range(CLIENTS)]
        time.sleep(0.2)
        assert seconds_of_a_request(server) < 1
        answers = {rest_of(client).removeprefix(CONTINUE)[:13] for client in clients}
    assert answers == ({b""} if half == "nothing" else {b"HTTP/1.1 408 "})


def test_large_bodies_are_read_when_those_that_did_not_come_are_given_up(server: Server) -> None:
    head = b"POST /predict/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100002\r\n\r\n"
    whole = head + b"x\n" + 50_000 * b"1\n"
    with ExitStack() as stack:
        for _ in range(CLIENTS // 2 + 2):
            stack.enter_context(connected(server, HALF_REQUESTS["half a large body"]))
        time.sleep(1)
        late = stack.enter_context(connected(server, whole))
        assert rest_of(late).startswith(b"HTTP/1.1 200 ")


def test_a_client_is_asked_once_for_the_body_that_it_keeps_back(server: Server) -> None:
    with connected(server, HALF_REQUESTS["no body yet"].replace(b"Host: a", b"Host: a\r\nConnection: close")) as client:
        assert client.recv(100) == CONTINUE
        client.sendall(CSV)
        assert rest_of(client).startswith(b"HTTP/1.1 200 ")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, place = tmp_path_factory.mktemp("model"), tmp_path_factory.mktemp("certificates")
    (folder / "custom.py").write_text(SOURCE)
    certfile, keyfile = certificates.make(place, "mine")
    words = ("--max-queue", "0", "--receive-timeout", "2", "--certfile", str(certfile), "--keyfile", str(keyfile))
    with serve(folder, "--target-type", "regression", *words, certificate=certfile) as server:
        yield server


def test_clients_that_do_not_finish_their_handshake_keep_nobody_waiting(encrypted: Server) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(encrypted, b"\x16\x03\x01\x02\x00\x01")) for _ in range(CLIENTS)]
        time.sleep(0.2)
        assert seconds_of_a_request(encrypted) < 1.5
        assert {rest_of(client) for client in clients} == {b""}


@pytest.mark.parametrize("half", HALF_REQUESTS)
def test_half_a_request_over_tls_keeps_nobody_waiting_and_ends_with_408(encrypted: Server, half: str) -> None:
    context = ssl.create_default_context(cafile=encrypted.certificate)
    with ExitStack() as stack:
        clients = []
        for _ in range(CLIENTS):
            raw = stack.enter_context(connected(encrypted, b""))
            clients.append(stack.enter_context(context.wrap_socket(raw, server_hostname="127.0.0.1")))
            clients[-1].sendall(HALF_REQUESTS[half])
        assert seconds_of_a_request(encrypted) < 1.5
        answers = {rest_of(client).removeprefix(CONTINUE)[:13] for client in clients}
    assert answers == ({b""} if half == "nothing" else {b"HTTP/1.1 408 "})


def test_a_body_that_is_read_by_a_thread_has_a_limit_of_time_too(server: Server) -> None:
    with connected(server, LARGE) as client:
        start = time.monotonic()
        answer = rest_of(client)
        seconds = time.monotonic() - start
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"--receive-timeout" in answer
    assert b"Connection: close" in answer
    assert 1 < seconds < 8


def test_a_request_in_small_pieces_is_answered(server: Server) -> None:
    request = b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nx\n1\n"
    with connected(server, b"") as client:
        for start in range(0, len(request), 9):
            client.sendall(request[start : start + 9])
            time.sleep(0.01)
        assert b"[1.0]" in rest_of(client)


def test_two_requests_that_come_at_once_are_answered_one_after_the_other(server: Server) -> None:
    body = "x\r\n{}\r\n"
    head = "POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n{}\r\n"
    both = head.format("") + body.format(1) + head.format("Connection: close\r\n") + body.format(2)
    with connected(server, both.encode()) as client:
        received = rest_of(client)
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert received.index(b"[1.0]") < received.index(b"[2.0]")


def test_a_client_that_stays_after_the_end_of_its_connection_keeps_nobody_waiting(server: Server) -> None:
    with ExitStack() as stack:
        request = b"GET /ping/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        clients = [stack.enter_context(connected(server, request)) for _ in range(10)]
        time.sleep(0.2)
        assert seconds_of_a_request(server) < 1
        assert {rest_of(client)[:13] for client in clients} == {b"HTTP/1.1 200 "}


def lazy(server: Server) -> socket.socket:
    """Return a client for which the system keeps little that it has not read."""
    client = socket.socket()
    client.settimeout(20)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.connect(("127.0.0.1", server.port))
    return client


def test_clients_that_do_not_read_their_answers_give_their_threads_back(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(
        "def score_unstructured(model, data, **kwargs):\n    return bytes(1_000_000 if data else 1)\n"
    )
    request = b"POST /predictUnstructured/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nall"
    words = ("--target-type", "unstructured", "--max-queue", "0", "--receive-timeout", "2")
    with serve(tmp_path, *words) as server, ExitStack() as stack:
        for _ in range(CLIENTS):
            client = stack.enter_context(lazy(server))
            client.sendall(request)
            assert client.recv(1) == b"H"
        assert server.post("/predictUnstructured/", b"").content == b"\0"


def test_a_client_that_does_not_read_a_stream_gives_its_place_back(tmp_path: Path) -> None:
    chunk = "{'object': 'chat.completion.chunk', 'choices': [], 'long': 100_000 * 'a'}"
    (tmp_path / "custom.py").write_text(
        f"def chat(params, model):\n    for _ in range(params['chunks']):\n        yield {chunk}\n"
    )
    path, body = "/v1/chat/completions", '{"messages": [], "stream": true, "chunks": %d}'
    endless = body % 10**9
    words = ("--target-type", "textgeneration", "--receive-timeout", "2")
    with serve(tmp_path, *words, env={"TARGET_NAME": "x"}) as server, lazy(server) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(endless)}\r\n\r\n{endless}".encode())
        assert client.recv(13) == b"HTTP/1.1 200 "
        assert server.post(path, body % 1, timeout=20).text.endswith("[DONE]\n\n")
