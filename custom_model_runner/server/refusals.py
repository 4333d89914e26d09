"""What becomes of a request whose time is over while its call runs: 504, at once and from another thread."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from flask import Response, current_app, request

from custom_model_runner import border
from custom_model_runner.errors import BaseCustomUserError, RunnerError, TimedOut
from custom_model_runner.server import current, failures, raw_answers
from custom_model_runner.server.deadlines import TOO_LATE, Watch, Watchman

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where an application keeps who looks after its deadlines.
WATCHMAN = "drum.watchman"


def watch(watchman: Watchman, seconds: float) -> Watch | None:
    """Return the deadline of the request that is served, so many seconds after a thread got it.

    One that an extension makes inside of flask has none: it has no connection that could be answered before its end.
    """
    exchange, environ = current.exchange(), request.environ
    if current.ENDING not in environ:
        return None
    # The thread that refuses knows the request by it.
    context = contextvars.copy_context()
    made = Watch(exchange.stages.start + seconds, watchman, lambda: context.run(_refuse, environ))
    exchange.watch = made
    return made


def _refuse(environ: WSGIEnvironment) -> None:
    exchange = current.exchange()
    try:
        response = border.call(_explain, failing=failures.THE_EXTENSION_RAISED)
    except (RunnerError, BaseCustomUserError) as error:
        current.fail(failures.name_of(error))
        told = failures.last_resort(error, show_stacktrace=current_app.config[failures.SHOW_STACKTRACE])
        response = failures.scrubbed(told, current_app.config[failures.CLEAN])
    exchange.status = response.status_code
    environ[current.ENDING].end()
    client = environ.get("gunicorn.socket")
    if client is not None:
        raw_answers.send(client, response, exchange.request_id)
        environ[current.ABANDON](client)


def _explain() -> Response:
    """Return what the handlers of the application, perhaps the folder's own, make of it."""
    return current_app.make_response(current_app.handle_user_exception(TimedOut(TOO_LATE)))
