"""The end of a stream: by its own, by its client, and by whatever becomes of its answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from flask import Flask, Response
from gunicorn.workers import gthread

from custom_model_runner.data.chat import Asked, Said
from custom_model_runner.errors import UserCodeError
from custom_model_runner.server import event_stream
from custom_model_runner.server.gathering import Reader
from custom_model_runner.server.worker import Worker

ASKED = Asked({}, {}, "a")


class Speech(Iterator[Said]):
    """Chunks without end, of which some number may fail."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.said = 0
        self.is_closed = False
        self.fails_at = fails_at

    def __next__(self) -> Said:
        if self.said == self.fails_at:
            raise UserCodeError("the thread is lost")
        self.said += 1
        return Said(None, {"number": self.said})

    def close(self) -> None:
        self.is_closed = True


def tell(error: Any) -> tuple[str, int]:
    return str(error), 500


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection, as gunicorn and a client have them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with closing(client), closing(ours):
        yield ours, client


@pytest.fixture
def app() -> Flask:
    return Flask("app", static_folder=None)


def answer(app: Flask, speech: Speech, ours: socket.socket | None = None) -> Response:
    with app.test_request_context(environ_overrides={"gunicorn.socket": ours} if ours else {}):
        return event_stream.answer(speech, ASKED, tell)


def test_each_chunk_is_an_event_with_the_id_of_the_answer(app: Flask) -> None:
    events = answer(app, Speech()).iter_encoded()
    for number in (1, 2):
        event = next(events).decode()
        assert json.loads(event.removeprefix("data: ")) == {"number": number, "datarobot_association_id": "a"}


def test_a_failure_is_the_last_event(app: Flask) -> None:
    *_, last = answer(app, Speech(fails_at=2)).iter_encoded()
    assert last.startswith(b'event: error\ndata: {"error":{"message":"the thread is lost","type":"server_error"')


def test_nothing_is_said_to_a_client_that_has_gone(app: Flask) -> None:
    speech = Speech()
    with pair() as (ours, client):
        events = answer(app, speech, ours).iter_encoded()
        next(events)
        client.close()
        assert list(events) == []
    assert speech.said == 2


def test_a_client_that_does_not_take_its_answer_counts_as_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        def __init__(self, sock: socket.socket) -> None:
            self.sock, self.reader = sock, Reader(sock, 5)

    def stall(*_: Any) -> NoReturn:
        raise TimeoutError

    monkeypatch.setattr(gthread.ThreadWorker, "handle_request", stall)
    with pair() as (ours, client):
        with pytest.raises(BrokenPipeError, match="the client does not read"):
            object.__new__(Worker).handle_request(SimpleNamespace(headers=[]), Connection(ours))
        assert client.recv(1) == b""


@pytest.mark.parametrize("how", ["replaced", "raised", "sent"])
def test_a_stream_is_closed_with_its_answer_whatever_that_is(app: Flask, how: str) -> None:
    speech = Speech(fails_at=3)

    @app.route("/")
    def view() -> Response:
        return event_stream.answer(speech, ASKED, tell)

    @app.after_request
    def spoil(response: Response) -> Response:
        return Response("another") if how == "replaced" else response

    def fail(environ: Any, start_response: Any) -> Any:
        app_as_it_was(environ, start_response)
        raise RuntimeError

    app_as_it_was = app.wsgi_app
    app.wsgi_app = event_stream.end_with_answer(fail if how == "raised" else app.wsgi_app)  # type: ignore[assignment]
    app.testing = True
    if how == "raised":
        with pytest.raises(RuntimeError):
            app.test_client().get("/")
    else:
        with app.test_client().get("/") as answered:
            assert answered.data
    assert speech.is_closed
