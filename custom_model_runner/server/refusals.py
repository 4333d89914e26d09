"""What becomes of a request whose time is over while its call runs: 504, at once and from another thread."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from flask import current_app, request

from custom_model_runner.errors import TimedOut
from custom_model_runner.server import current, raw_answers
from custom_model_runner.server.deadlines import TOO_LATE, Watch, Watchman

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where an application keeps who looks after its deadlines.
WATCHMAN = "drum.watchman"


def watch(watchman: Watchman, seconds: float) -> Watch:
    """Return the deadline of the request that is served, so many seconds after its head came."""
    exchange, environ = current.exchange(), request.environ
    # The thread that refuses knows the request by it.
    context = contextvars.copy_context()
    made = Watch(exchange.stages.start + seconds, watchman, lambda: context.run(_refuse, environ))
    exchange.watch = made
    return made


def _refuse(environ: WSGIEnvironment) -> None:
    exchange = current.exchange()
    response = current_app.make_response(current_app.handle_user_exception(TimedOut(TOO_LATE)))
    exchange.status = response.status_code
    environ[current.ENDING].end()
    client = environ.get("gunicorn.socket")
    if client is not None:
        raw_answers.send(client, response, exchange.request_id)
        environ[current.ABANDON](client)
