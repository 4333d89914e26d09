"""Requests watched from outside of flask."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, abort, request
from werkzeug.test import Client

from custom_model_runner import logs
from custom_model_runner.data.exchange import Exchange, Watcher
from custom_model_runner.errors import CustomHTTPError, InputError, RunnerError, UserCodeError
from custom_model_runner.server import current, exchanges, failures, openai_errors


class Own(CustomHTTPError):
    """One of user code's making."""


@pytest.fixture(autouse=True)
def context_as_it_was() -> Iterator[None]:
    """No request is left to later tests in this thread."""
    token = logs.CONTEXT.set(None)
    yield
    logs.CONTEXT.reset(token)


def staged() -> Response:
    current.exchange().stages.end("score")
    return Response("fine")


def streamed() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


def refuse(error: Exception) -> Any:
    raise error


ROUTES = {
    "/fine/": staged,
    "/stream": lambda: Response(streamed()),
    "/refused": lambda: refuse(InputError("no")),
    "/own": lambda: refuse(Own("no", 418)),
    "/gone": lambda: abort(410),
    "/raised": lambda: refuse(ZeroDivisionError()),
}


def application(seen: list[Exchange], begun: list[str] | None = None) -> Flask:
    app = Flask(__name__)
    app.config[openai_errors.PREFIX] = "/pre"
    begin = None if begun is None else (lambda exchange: begun.append(exchange.route))
    exchanges.watch(app, [Watcher(seen.append, begin)], prefix="/pre")
    failures.register(app, show_stacktrace=False)
    for path, view in ROUTES.items():
        app.add_url_rule(f"/pre{path}", path, view)
    return app


def dressed(seen: list[Exchange]) -> Client:
    app = application(seen)
    return Client(exchanges.dress(failures.contain(app, is_extended=False), app.extensions[exchanges.WATCHERS]))


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("/pre/fine/", ("/fine", 200, None)),
        ("/pre/refused", ("/refused", 422, "InputError")),
        ("/pre/own", ("/own", 418, "CustomHTTPError")),
        ("/pre/gone", ("/gone", 410, "Gone")),
        ("/pre/raised", ("/raised", 500, "InternalError")),
        ("/nowhere/7", ("unmatched", 404, "NotFound")),
    ],
)
def test_an_answer_is_told_once_with_its_route_its_status_and_the_class_of_its_error(
    path: str, facts: tuple[str, int, str | None]
) -> None:
    seen: list[Exchange] = []
    dressed(seen).get(path)
    (exchange,) = seen
    assert (exchange.route, exchange.status, exchange.failure) == facts
    assert exchange.seconds > 0


def test_who_wants_to_know_when_the_route_is_known_is_told_before_the_view_runs() -> None:
    begun: list[str] = []
    application([], begun).test_client().get("/pre/fine/")
    assert begun == ["/fine"]


def test_a_stream_has_been_answered_when_it_is_closed_and_not_before() -> None:
    seen: list[Exchange] = []
    answer = dressed(seen).get("/pre/stream", buffered=False)
    assert seen == []
    assert b"".join(answer.iter_encoded()) == b"onetwo"
    answer.close()
    assert [exchange.status for exchange in seen] == [200]


def test_what_comes_out_of_the_application_is_told_with_the_status_that_the_worker_will_give_it() -> None:
    def leaky(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise Own("no", 418)

    seen: list[Exchange] = []
    with pytest.raises(Own):
        Client(exchanges.dress(failures.contain(leaky, is_extended=True), [Watcher(seen.append)])).get("/")
    assert [(exchange.status, exchange.failure) for exchange in seen] == [(418, "CustomHTTPError")]


@pytest.mark.parametrize(
    ("is_extended", "kind", "words"),
    [(True, UserCodeError, "The Flask extension raised"), (False, RunnerError, "internal error: ZeroDivisionError")],
)
def test_an_extension_is_blamed_only_where_there_is_one(is_extended: bool, kind: type[Exception], words: str) -> None:
    def broken(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise ZeroDivisionError

    seen: list[Exchange] = []
    with pytest.raises(kind, match=words):
        Client(exchanges.dress(failures.contain(broken, is_extended=is_extended), [Watcher(seen.append)])).get("/")
    assert [(exchange.status, exchange.failure) for exchange in seen] == [(500, kind.__name__)]


def test_an_answer_tells_how_long_its_stages_took_and_one_without_stages_tells_nothing() -> None:
    client = dressed([])
    parts = client.get("/pre/fine/").headers["Server-Timing"].split(", ")
    assert [part.partition(";dur=")[0] for part in parts] == ["score", "total"]
    assert all(float(part.partition("=")[2]) > 0 for part in parts)
    assert "Server-Timing" not in client.get("/pre/gone").headers


def test_a_line_is_logged_of_every_request_but_the_frequent_ones(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ[current.EXCHANGE].route = environ["PATH_INFO"]
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    client = Client(exchanges.dress(answer))
    monkeypatch.setattr(logging.getLogger("drum"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("drum"), "propagate", True)
    with caplog.at_level(logging.INFO, "drum.server"):
        for path in ("/health", "/predict", "/metrics"):
            client.post(path)
    (record,) = caplog.records
    assert record.getMessage().startswith("POST '/predict' answered 200 after 0.0")


def test_a_request_that_an_extension_makes_inside_of_flask_has_an_id_of_its_own() -> None:
    app = Flask(__name__)
    with app.test_request_context("/"):
        assert current.exchange().request_id
        assert current.exchange() is request.environ[current.EXCHANGE]
