"""What a model says, piece by piece, as server-sent events."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.wsgi import ClosingIterator

from custom_model_runner.data import chat
from custom_model_runner.data.chat import ASSOCIATION_ID, Asked, Said
from custom_model_runner.errors import BaseCustomUserError, RunnerError
from custom_model_runner.server import openai_errors

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MEDIA_TYPE = "text/event-stream; charset=utf-8"
# Proxies are not to hold back what is meant to be read at once.
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
DONE = b"data: [DONE]\n\n"
# Where the stream of a request is kept until its answer has been sent.
STREAM = "drum.stream"
# The peer has closed its side. Only Linux tells; elsewhere writing fails a little later.
HAS_LEFT = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

# Makes what a client is told of a failure, and logs it: message and status.
Tell = Callable[[RunnerError | BaseCustomUserError], tuple[str, int]]


def answer(said: Iterator[Said], asked: Asked, tell: Tell) -> Response:
    """Return the answer that sends each chunk as it is said."""
    request.environ[STREAM] = said
    client: socket.socket | None = request.environ.get("gunicorn.socket")
    events = _events(said, asked, tell, _is_there(client))
    return Response(events, content_type=MEDIA_TYPE, headers=HEADERS)


def _events(said: Iterator[Said], asked: Asked, tell: Tell, is_there: Callable[[], bool]) -> Iterator[bytes]:
    """Yield an event for each chunk; then the sign of a good end, or an error and no such sign."""
    try:
        for chunk in said:
            if not is_there():
                return
            yield _event(chat.to_json({**chunk.body, ASSOCIATION_ID: asked.association_id}))
        yield DONE
    except (RunnerError, BaseCustomUserError) as error:
        # The status has been sent, so this is the only way left to tell.
        message, status = tell(error)
        yield _event(chat.to_json(openai_errors.body(message, status)), name="error")


def _event(data: str, *, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data}\n\n".encode()


def _is_there(client: socket.socket | None) -> Callable[[], bool]:
    """Return how to find out whether the client still reads; where there is no connection, it does."""
    if client is None:
        return lambda: True
    watch = select.poll()
    watch.register(client, HAS_LEFT)
    return lambda: not watch.poll(0)


def end_with_answer(app: WSGIApplication) -> WSGIApplication:
    """Return the application that lets go of a stream when its answer ends, also if another answer was sent instead."""

    def ended(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            served = app(environ, start_response)
        except BaseException:
            _end(environ)
            raise
        return ClosingIterator(served, lambda: _end(environ)) if STREAM in environ else served

    return ended


def _end(environ: WSGIEnvironment) -> None:
    stream = environ.pop(STREAM, None)
    if stream is not None:
        stream.close()
