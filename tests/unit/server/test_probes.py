"""The tiny HTTP server of the probe port."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest

from custom_model_runner.errors import RunnerError
from custom_model_runner.server import probes
from custom_model_runner.server.probes import Answer, Probes, answer, said

PAGES = {"/livez": lambda: said(200, "OK"), "/long": lambda: Answer(200, b"x" * 5_000_000, "text/plain")}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"GET /livez/?verbose HTTP/1.0\r\n\r\n", 200),
        (b"HEAD /livez HTTP/1.1\r\n\r\n", 200),
        (b"POST /livez HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /predict/ HTTP/1.1\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01 \xff \x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
    ],
)
def test_a_head_is_answered(head: bytes, status: int) -> None:
    response = answer(head, PAGES)
    assert response.startswith(b"HTTP/1.1 %d " % status)
    assert response.endswith(b"\r\n\r\n") == head.startswith(b"HEAD")


@pytest.mark.parametrize("error", [RunnerError, OSError, ValueError, MemoryError])
def test_a_page_that_fails_is_500(error: type[Exception]) -> None:
    def page() -> Answer:
        raise error("a secret")

    response = answer(b"GET /x HTTP/1.1\r\n\r\n", {"/x": page})
    assert response.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in response


@pytest.fixture
def port() -> Iterator[Probes]:
    with selectors.DefaultSelector() as loop:
        served = Probes(socket.create_server(("127.0.0.1", 0)), loop, PAGES)
        served.open()
        yield served
        served.close()


def client_of(port: Probes) -> socket.socket:
    client = socket.create_connection(port.listener.getsockname())
    client.setblocking(False)
    return client


def turn(port: Probes) -> None:
    """Let the loop do what there is to do now."""
    for key, _ in port.loop.select(0.05):
        key.data()
    port.end_overdue()


def all_that_comes(port: Probes, client: socket.socket) -> bytes:
    received = b""
    for _ in range(200):
        turn(port)
        try:
            while data := client.recv(1 << 20):
                received += data
        except BlockingIOError:
            continue
        except ConnectionResetError:
            return received
        return received
    raise AssertionError("the connection was not closed")


def test_a_head_that_comes_in_pieces_is_answered_and_the_connection_closed(port: Probes) -> None:
    with client_of(port) as client:
        for piece in (b"GET /li", b"vez HTTP/1.1\r\n", b"\r\n"):
            client.send(piece)
            turn(port)
        received = all_that_comes(port, client)
    assert received.endswith(b'{"message":"OK"}\n')
    assert port.connections == {}


def test_an_answer_longer_than_the_buffers_arrives_as_a_whole(port: Probes) -> None:
    with client_of(port) as client:
        client.send(b"GET /long HTTP/1.1\r\n\r\n")
        assert all_that_comes(port, client).count(b"x") >= 5_000_000


def test_a_client_that_sends_no_end_is_cut_off_when_its_time_is_up(
    port: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "SECONDS", 0.0)
    with client_of(port) as client:
        client.send(b"GET /livez")
        assert all_that_comes(port, client) == b""


def test_the_seconds_until_the_next_connection_is_overdue_are_told(port: Probes) -> None:
    assert port.end_overdue() is None
    with client_of(port):
        turn(port)
        left = port.end_overdue()
    assert left is not None
    assert 0 < left <= probes.SECONDS


def test_a_head_that_is_too_long_is_431(port: Probes) -> None:
    with client_of(port) as client:
        client.send(b"GET /livez HTTP/1.1\r\nX: " + b"a" * 9000)
        assert all_that_comes(port, client).startswith(b"HTTP/1.1 431 ")


def test_of_too_many_connections_the_oldest_is_closed(port: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MOST_CONNECTIONS", 1)
    with client_of(port) as first, client_of(port) as second:
        assert all_that_comes(port, first) == b""
        second.send(b"GET /livez HTTP/1.1\r\n\r\n")
        assert b"200 OK" in all_that_comes(port, second)


def test_a_client_that_goes_away_disturbs_nobody(port: Probes) -> None:
    client_of(port).close()
    for _ in range(10):
        turn(port)
        if not port.connections:
            break
    with client_of(port) as client:
        client.send(b"GET /livez HTTP/1.1\r\n\r\n")
        assert b"200 OK" in all_that_comes(port, client)
