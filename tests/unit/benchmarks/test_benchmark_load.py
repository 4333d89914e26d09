"""The HTTP load, against servers of a few lines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import load


class Echo(BaseHTTPRequestHandler):
    """Answers with the body it was sent, on a connection that stays open."""

    protocol_version = "HTTP/1.1"
    status = 200
    closes = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        if self.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class ClosingEcho(Echo):
    """Closes the connection after each answer and says so."""

    closes = True


class RudeEcho(Echo):
    """Closes the connection after each answer without a word."""

    def do_POST(self) -> None:
        super().do_POST()
        self.close_connection = True


class Refusal(Echo):
    """Answers every request with 422."""

    status = 422


class Endless(Echo):
    """Does not say how long its answer is."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True


@contextmanager
def serving(handler: type[Echo]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("handler", [Echo, ClosingEcho, RudeEcho])
@pytest.mark.parametrize("size", [0, 3, 3_000_000])
def test_a_client_gets_whole_answers_again_and_again(handler: type[Echo], size: int) -> None:
    body = b"x" * size
    with serving(handler) as port:
        client = load.Client(port)
        answers = [client.post("/predict/", body) for _ in range(3)]
        client.close()
    assert answers == [(200, body)] * 3


def test_the_load_counts_every_request_of_every_client() -> None:
    with serving(Echo) as port:
        seen = load.run(port, "/predict/", b"a", concurrency=4, seconds=0.1)
    assert len(seen.latencies) >= 4
    assert 0 < max(seen.latencies) <= seen.seconds
    assert sum(seen.latencies) <= 4 * seen.seconds


def test_the_load_is_bounded_by_requests_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_REQUESTS", 6)
    with serving(Echo) as port:
        seen = load.run(port, "/predict/", b"a", concurrency=2, seconds=60)
    assert len(seen.latencies) == 6


def test_an_answer_that_is_not_200_is_an_error_that_shows_it() -> None:
    with serving(Refusal) as port, pytest.raises(load.LoadError, match="answered 422: b'abc'"):
        load.run(port, "/predict/", b"abc", concurrency=1, seconds=60)


def test_an_answer_without_a_length_is_an_error() -> None:
    with serving(Endless) as port, pytest.raises(load.LoadError, match="Content-Length"):
        load.run(port, "/predict/", b"abc", concurrency=1, seconds=60)
