"""The one pipeline: decode, check, call, marshal, check, record. It knows neither HTTP nor argv."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from custom_model_runner import codedir, logs, model, options
from custom_model_runner.data import predictions, tables
from custom_model_runner.data.observation import Observation, Observer
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions, Scores
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.target import Declared
from custom_model_runner.errors import Unsupported, UsageError
from custom_model_runner.model import Context, Model, ModelInfo
from custom_model_runner.settings import ModelSettings
from custom_model_runner.target_type import TargetType

UNSTRUCTURED_ENDPOINTS = "/predictUnstructured/ or /predictionsUnstructured/"


@dataclass
class _Call:
    """One call while it runs."""

    rows: int = 0


@dataclass(frozen=True)
class Predictor:
    """A loaded model and the way to call it; a call takes one of `slots` while it is inside the model."""

    model: Model
    observers: tuple[Observer, ...] = ()
    slots: AbstractContextManager[Any] = field(default_factory=threading.Lock)

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self.model.info

    def score(self, payload: Payload, *, charset: str | None = None) -> Predictions:
        """Return checked predictions for the table in a payload; `charset` is what a server tells its hooks."""
        self._scorer()
        context = Context(payload.data, payload.media_type or "text/csv", charset, payload.column_names)
        with self._observed() as call:
            result = self._score(payload, context)
            call.rows = len(result)
        return result

    def _scorer(self) -> Callable[[Any, Context], Scores]:
        if self.model.score is None:
            raise Unsupported(
                f"This model has target type '{self.info.target.type}', use the {UNSTRUCTURED_ENDPOINTS} endpoint."
            )
        return self.model.score

    def _score(self, payload: Payload, context: Context) -> Predictions:
        if self.model.read is not None:
            with self.slots:
                return self._call(self.model.read(payload.data), context)
        table = tables.read(payload)
        with self.slots:
            return self._call(table, context)

    def _call(self, table: Any, context: Context) -> Predictions:
        """Run the hooks on what was read; without a table of rows the number of predictions is the user's affair."""
        subject, target, score = self.model, self.info.target, self._scorer()
        rows = len(table) if isinstance(table, pd.DataFrame) else None
        if rows == 0 and self.info.framework is not None:
            return predictions.nothing(target)
        if subject.transform is not None:
            table = subject.transform(table)
        result = predictions.marshal(score(table, context), target, rows=rows)
        if subject.post_process is None:
            return result
        processed = predictions.marshal(subject.post_process(result.frame()), target, rows=len(result))
        return Predictions(processed.columns, processed.values, result.extra)

    def answer(self, payload: Payload, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Return an unstructured model's reply; `headers` are those of the request, None in batch."""
        if self.model.answer is None:
            raise Unsupported(
                f"This model has target type '{self.info.target.type}', use the /predict/ or /predictions/ endpoint."
            )
        with self._observed() as call, self.slots:
            reply = self.model.answer(payload, query, headers)
            call.rows = 1
        return reply

    @contextmanager
    def _observed(self) -> Iterator[_Call]:
        """Record one call when it ends."""
        call = _Call()
        failure = None
        start = time.perf_counter()
        try:
            yield call
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            observation = Observation(call.rows, time.perf_counter() - start, failure)
            for observer in self.observers:
                observer(observation)

    def close(self) -> None:
        """Let go of the model and of the user's modules."""
        self.model.close()

    def __enter__(self) -> Predictor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_predictor(
    settings: ModelSettings,
    *,
    observers: tuple[Observer, ...] = (),
    threads: int | None = None,
    tell: Callable[[str], None] = logs.notice,
) -> Predictor:
    """Open the folder that settings name, load its model, and tell a person what had to be inferred."""
    folder = codedir.open_folder(settings.code_dir, settings.language)
    declared = Declared(
        TargetType(settings.target_type) if settings.target_type else None,
        settings.positive_class_label,
        settings.negative_class_label,
        _class_labels(settings),
        settings.target_name,
    )
    loaded = model.load(folder, declared)
    if loaded.info.notice:
        tell(loaded.info.notice)
    return Predictor(loaded, observers, _slots(threads, is_thread_safe=loaded.traits.is_thread_safe))


def _class_labels(settings: ModelSettings) -> tuple[str, ...] | None:
    if settings.class_labels and settings.class_labels_file:
        raise UsageError("Give the class labels either by --class-labels or by --class-labels-file, not by both")
    return settings.class_labels or settings.class_labels_file


def _slots(threads: int | None, *, is_thread_safe: bool) -> AbstractContextManager[Any]:
    if threads is not None:
        return threading.BoundedSemaphore(threads)
    return nullcontext() if is_thread_safe else threading.Lock()


def load(code_dir: str | Path, **given: Any) -> Predictor:
    """Open a folder in this process; options are the fields of `ModelSettings`, such as `target_type`."""
    known = [field.name for field in fields(ModelSettings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"unknown option(s) {unknown}, expected among: {', '.join(known)}")
    return open_predictor(options.read(ModelSettings, {"code_dir": str(code_dir), **given}, {}))
