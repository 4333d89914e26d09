"""A folder served by one generation: its model loaded once or in each worker, its failure to load explained."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flask import Flask

from custom_model_runner import border, garbage, heap, logs, sharing, warming
from custom_model_runner.data.observation import Observation, Observer
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.errors import LoadError, RunnerError
from custom_model_runner.monitoring import reporting
from custom_model_runner.monitoring.timings import Timings, open_timings
from custom_model_runner.predictor import Predictor, open_predictor
from custom_model_runner.server import app, extension, failures, gunicorn, health, keys, launch, refusals, tls
from custom_model_runner.server.admission import CALLS_OF_THREAD_SAFE, Admission, open_admission
from custom_model_runner.server.board import OfGeneration, OfServer, OfWorker, Slot, State
from custom_model_runner.server.connections import MOST_READERS
from custom_model_runner.server.deadlines import Watchman
from custom_model_runner.server.keys import Keyring
from custom_model_runner.server.launch import Launch, SharedNumber
from custom_model_runner.server.seat import EXIT_UNSHARED, Seat
from custom_model_runner.server.telemetry import Telemetry, find_tracing, open_telemetry
from custom_model_runner.settings import LogSettings, ModelSettings, MonitorSettings, ServerSettings

# Threads beyond those of calls that run or wait, and of large bodies that come: they answer probes and refuse.
SPARE_THREADS = 8
# What a step of the end gets even if those before it have taken all the time.
LEAST_SECONDS = 0.1
STANDARD_OUTPUT = 1
LOADING_RAISED = "The folder cannot be loaded. Exception:"


@dataclass(frozen=True)
class Folder:
    """What the workers of a generation are given to serve; each fills `last_steps` for itself."""

    seat: Seat
    model: ModelSettings
    delivered: Delivered
    server: ServerSettings
    log: LogSettings
    plan: reporting.Plan | None
    timings: Timings | None
    failure: RunnerError | None
    tracing: Any
    keyring: Keyring | None = None
    shared: Predictor | None = None
    has_told: SharedNumber = field(default_factory=launch.shared_number)
    has_failed: SharedNumber = field(default_factory=launch.shared_number)
    last_steps: list[Callable[[float], None]] = field(default_factory=list)

    def loaded(self) -> Folder | None:
        """Return the folder with its model, for workers to share, or with the reason why there is none.

        None says that this process is spoilt: the model is here, and must not be forked.
        """
        before, start = sharing.traces(), time.perf_counter()
        notices: list[str] = []
        try:
            # What is never searched is never written to, and stays shared.
            with garbage.kept():
                shared = border.call(self._open, notices.extend, failing=LOADING_RAISED, as_error=LoadError)
        except RunnerError as error:
            if not self.server.with_error_server:
                raise
            return replace(self, failure=error)
        if not sharing.is_safe(shared.model, before):
            return None
        # Workers would put what is free in order themselves, and write to the pages that they share.
        heap.opened(heap.SERVER).trim()
        self._tell(notices)
        self.seat.generation.row.put(OfGeneration.LOAD_MICROSECONDS, int((time.perf_counter() - start) * 1e6))
        return replace(self, shared=shared)

    def make_app(self, slot: Slot) -> Flask:
        """Return the application of a worker."""
        telemetry = open_telemetry(
            self.server, self.seat.board, slot, tracing=self.tracing, service=self.model.code_dir.name
        )
        self.last_steps.append(telemetry.close)
        made = self._load_or_explain(slot, telemetry)
        if self.delivered.secrets:
            failures.scrub(made, self.delivered.scrubber())
        return made

    def end(self, seconds: float) -> None:
        """Do the last work of a worker, in about so many seconds: one step may take what those before it have left."""
        until = time.monotonic() + seconds

        def take(step: Callable[[float], None]) -> None:
            step(max(until - time.monotonic(), LEAST_SECONDS))

        with ExitStack() as steps:
            for step in self.last_steps:
                steps.callback(take, step)

    def _load_or_explain(self, slot: Slot, telemetry: Telemetry) -> Flask:
        try:
            loaded: Flask = border.call(self._load, slot, telemetry, failing=LOADING_RAISED, as_error=LoadError)
        except RunnerError as error:
            if not self.server.with_error_server or self.seat.is_served:
                raise
            if self.has_failed.offer(1):
                logs.failure(error, show_stacktrace=self.log.show_stacktrace)
            slot.put(OfWorker.STATE, State.FAILED)
            return app.create_error_app(
                error,
                self.server,
                keyring=self.keyring,
                watchers=telemetry.watchers,
                expose=telemetry.expose,
            )
        return loaded

    def _load(self, slot: Slot, telemetry: Telemetry) -> Flask:
        if self.failure is not None:
            raise self.failure
        observers = (_counter(slot), *telemetry.observers, *((self.timings.observe,) if self.timings else ()))
        predictor = self.shared or self._open(self._tell)
        watchman = Watchman(grace=self.server.graceful_timeout)
        admission = self._admission(slot, watchman, is_thread_safe=predictor.model.traits.is_thread_safe)
        predictor = replace(predictor, observers=observers, slots=admission.enter)
        reports = reporting.open_reports(self.plan, predictor.info.target.type)
        self.last_steps.append(reports.close)
        predictor = warming.warmed(replace(predictor, reporter=reports.structured, mlops=reports.embedded))
        made = self._application(predictor, telemetry, admission)
        made.extensions[refusals.WATCHMAN] = watchman
        return made

    def _admission(self, slot: Slot, watchman: Watchman, *, is_thread_safe: bool) -> Admission:
        calls = self.server.threads or (CALLS_OF_THREAD_SAFE if is_thread_safe else 1)
        seconds = self.server.request_timeout
        if not seconds:
            return open_admission(slot, most_calls=calls, most_waiting=self.server.max_queue)
        watch = partial(refusals.watch, watchman, seconds)
        return open_admission(slot, most_calls=calls, most_waiting=self.server.max_queue, watch=watch)

    def _open(self, tell: Callable[[Sequence[str]], None]) -> Predictor:
        return open_predictor(self.model, tell=lambda *texts: tell(texts))

    def _tell(self, texts: Sequence[str]) -> None:
        if texts and self.has_told.offer(1):
            logs.notice(*texts)

    def _application(self, predictor: Predictor, telemetry: Telemetry, admission: Admission) -> Flask:
        """Return the application for a model, extended by its folder; all of it lives as long as this process."""
        board = self.seat.board
        with ExitStack() as stack:
            stack.callback(predictor.close)
            served = app.create_app(
                predictor,
                self.server,
                keyring=self.keyring,
                timings=self.timings,
                show_stacktrace=self.log.show_stacktrace,
                supervisor=board.server.get(OfServer.PID),
                why_not_ready=partial(health.why_not_ready, board),
                watchers=telemetry.watchers,
                expose=telemetry.expose,
                admit=admission.refuse_if_full,
            )
            extension.install(served, predictor.info.codedir.path)
            stack.pop_all()
            return served


def serve(
    seat: Seat,
    model: ModelSettings,
    *,
    delivered: Delivered,
    server: ServerSettings,
    monitor: MonitorSettings,
    log: LogSettings,
) -> int:
    """Serve the folder as one generation, until a signal ends it; return the exit code."""
    encryption, keyring = tls.open_context(server), keys.open_keyring(server)
    plan = reporting.plan(monitor, stdout=STANDARD_OUTPUT)
    timings = open_timings() if server.show_perf else None
    failure, tracing = _fetch(delivered, server), find_tracing(server)
    folder = Folder(seat, model, delivered, server, log, plan, timings, failure, tracing, keyring)
    if seat.may_share and folder.failure is None and sharing.is_worth_a_try(model):
        with_model = folder.loaded()
        if with_model is None:
            return EXIT_UNSHARED
        folder = with_model
    scheme = "https" if encryption else "http"
    begun = Launch(
        seat,
        folder.make_app,
        folder.end,
        greeting=f"serving {model.code_dir} on {scheme}://{seat.address}{server.url_prefix}",
        show_stacktrace=log.show_stacktrace,
        has_greeted=launch.shared_number(),
        exit_code=launch.shared_number(),
        clean=delivered.scrubber(),
        receive_seconds=server.receive_timeout,
    )
    threads = (server.threads or CALLS_OF_THREAD_SAFE) + server.max_queue + SPARE_THREADS + MOST_READERS
    return gunicorn.serve(begun, server, threads=threads, tls=encryption)


def _counter(slot: Slot) -> Observer:
    """Return the observer that counts the calls of a worker."""
    lock = threading.Lock()

    def count(_: Observation) -> None:
        with lock:
            slot.add(OfWorker.CALLS, 1)

    return count


def _fetch(delivered: Delivered, server: ServerSettings) -> RunnerError | None:
    """Fetch the folder's files, once for all workers; return the failure that the error server is to explain."""
    try:
        delivered.fetch()
    except RunnerError as error:
        if not server.with_error_server:
            raise
        return error
    return None
