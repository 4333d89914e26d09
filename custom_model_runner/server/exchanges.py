"""Each request and its answer, watched from outside of flask: dressed, timed, counted, logged."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from custom_model_runner import logs
from custom_model_runner.data.exchange import Exchange, Watcher
from custom_model_runner.errors import BaseCustomUserError, MalformedRequest, RunnerError
from custom_model_runner.server import current, failures, headers

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger("drum.server")
WATCHERS = "drum.watchers"
# Headers that nobody else may set.
OURS = frozenset(name.lower() for name, _ in headers.common(""))
# Asked for every few seconds; a log that tells of each tells of nothing else.
FREQUENT = frozenset({"/", "/ping", "/health", "/livez", "/readyz", "/metrics"})


def watch(app: Flask, watchers: Sequence[Watcher], *, prefix: str) -> None:
    """Note the route of each request that an application gets, and who wants to know of it."""
    app.extensions[WATCHERS] = tuple(watchers)
    beginners = [watcher.begin for watcher in watchers if watcher.begin is not None]

    @app.before_request
    def note_route() -> None:
        exchange = current.exchange()
        if request.url_rule is not None:
            exchange.route = request.url_rule.rule.removeprefix(prefix).rstrip("/") or "/"
        for begin in beginners:
            begin(exchange)


def dress(app: WSGIApplication, watchers: Sequence[Watcher] = ()) -> WSGIApplication:
    """Return the application whose every answer has its request id and the runner's version.

    They are put on outside of flask, where no extension of the folder can lose them.
    """

    def dressed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = environ[current.EXCHANGE] = current.begun(environ)
        environ[current.REQUEST_ID] = exchange.request_id
        logs.CONTEXT.set(exchange.context)
        ending = environ[current.ENDING] = _Ending(exchange, watchers)

        def begin(status: str, given: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            if exchange.watch is not None and not exchange.watch.claim():
                # The request has been refused; what comes too late is dropped.
                return lambda _: None
            exchange.status = int(status[:3])
            names = [name.lower() for name, _ in given]
            kept = [header for header, name in zip(given, names, strict=True) if name not in OURS]
            if exchange.stages.marks:
                kept.append(("Server-Timing", _timing(exchange)))
            # Counted before it can be seen, so that whoever has an answer finds it counted.
            if "content-length" in names:
                ending.end()
            return start_response(status, [*kept, *headers.common(exchange.request_id)], exc_info)

        try:
            answer = app(environ, begin)
        except (RunnerError, BaseCustomUserError) as error:
            exchange.status, exchange.failure = failures.status_of(error), failures.name_of(error)
            ending.end()
            raise
        if exchange.watch is not None and exchange.watch.is_overdue:
            _Closing(answer, ending).close()
            raise BrokenPipeError(errno.EPIPE, "the request was refused, its time is over")
        return answer if ending.is_over else _Closing(answer, ending)

    return dressed


class _Ending:
    """The end of an exchange, which is told once: with the head of an answer if that says how long it is."""

    __slots__ = ("exchange", "is_over", "watchers")

    def __init__(self, exchange: Exchange, watchers: Sequence[Watcher]) -> None:
        self.exchange = exchange
        self.watchers = watchers
        self.is_over = False

    def end(self) -> None:
        if self.is_over:
            return
        self.is_over = True
        exchange = self.exchange
        exchange.seconds = exchange.stages.clock() - exchange.stages.start
        for watcher in self.watchers:
            watcher.end(exchange)
        if LOG.isEnabledFor(logging.INFO):
            _log(exchange)


class _Closing:
    """An answer of unknown length, which has been given when it is closed."""

    def __init__(self, answer: Iterable[bytes], ending: _Ending) -> None:
        self._answer = answer
        self._ending = ending

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Close the answer, which may be a stream that user code makes."""
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._ending.end()


def broken(
    watchers: Sequence[Watcher], status: int, failure: str = MalformedRequest.__name__, *, seconds: float = 0.0
) -> None:
    """Tell of a request that the application has not seen: it is not valid HTTP, or did not come in so many seconds."""
    exchange = Exchange("", "", "", {}, status=status, failure=failure, seconds=seconds)
    logs.CONTEXT.set(None)
    for watcher in watchers:
        watcher.end(exchange)


def _timing(exchange: Exchange) -> str:
    stages = exchange.stages
    return headers.server_timing(stages.seconds(), stages.clock() - stages.start)


def _log(exchange: Exchange) -> None:
    """Write the line of a request; what is wrong with the server itself has been logged where it was known."""
    is_worth_it = exchange.status >= 400 or exchange.route not in FREQUENT
    facts = exchange.method, exchange.path, exchange.status, exchange.seconds
    fields = {**dict(zip(("method", "path", "status", "seconds"), facts, strict=True)), "route": exchange.route}
    extra = {logs.FIELDS: fields}
    LOG.log(logging.INFO if is_worth_it else logging.DEBUG, "%s %r answered %s after %.3f s", *facts, extra=extra)
