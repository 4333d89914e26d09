"""The one pipeline: decode, check, call, marshal, check, record. It knows neither HTTP nor argv."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pandas as pd

from custom_model_runner import codedir, logs, model, options
from custom_model_runner.data import predictions, tables, transformed
from custom_model_runner.data.observation import Observation, Observer
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions, Scores
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.report import Report, Reporter, Samples, Stats, snapshot
from custom_model_runner.data.target import Declared, Target
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import ContractError, InputError, MissingColumns, Unsupported, UsageError
from custom_model_runner.model import Context, Convert, Model, ModelInfo, Question
from custom_model_runner.settings import ModelSettings
from custom_model_runner.target_type import TargetType

# The routes of a target type; all others have those of predictions.
ENDPOINTS = {
    TargetType.UNSTRUCTURED: "/predictUnstructured/ or /predictionsUnstructured/",
    TargetType.TRANSFORM: "/transform/",
}
PREDICTION_ENDPOINTS = "/predict/ or /predictions/"

Result = TypeVar("Result")


@dataclass
class _Call:
    """One call while it runs; the features are copied only where somebody is told of them."""

    rows: int = 0
    seconds: float = 0.0
    features: pd.DataFrame | None = None


@dataclass(frozen=True)
class Predictor:
    """A loaded model and the way to call it; a call takes one of `slots` while it is inside the model.

    `reporter` is told of structured calls; `mlops` makes what an unstructured model reports with, per request.
    """

    model: Model
    observers: tuple[Observer, ...] = ()
    slots: AbstractContextManager[Any] = field(default_factory=threading.Lock)
    reporter: Reporter | None = None
    mlops: Callable[[str | None], object] | None = None

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self.model.info

    def score(self, payload: Payload, *, charset: str | None = None, request_id: str | None = None) -> Predictions:
        """Return checked predictions for the table in a payload; `charset` is what a server tells its hooks."""
        self._scorer()
        context = Context(payload.data, payload.media_type or "text/csv", charset, payload.column_names)
        with self._observed() as call:
            result = self._on_table(payload, lambda table: self._call(table, context, call))
            call.rows = len(result)
        if self.reporter is not None:
            report = _report(call, result, self.info.target, request_id)
            self.reporter(replace(report, size=len(payload.data)))
        return result

    def _scorer(self) -> Callable[[Any, Context], Scores]:
        if self.model.score is None:
            raise self._unsupported()
        return self.model.score

    def _unsupported(self) -> Unsupported:
        """Return the failure that names the route which works; callers match its text."""
        kind = self.info.target.type
        return Unsupported(
            f"This model has target type '{kind}', use the {ENDPOINTS.get(kind, PREDICTION_ENDPOINTS)} endpoint."
        )

    def _on_table(self, payload: Payload, use: Callable[[Any], Result]) -> Result:
        """Use the table of a payload; what reads it outside the model takes no slot."""
        if self.model.read is not None:
            with self.slots:
                return use(self._checked(self.model.read(payload.data)))
        typed = replace(payload, text_columns=self.model.text_columns) if self.model.text_columns else payload
        table = self._checked(tables.read(typed))
        with self.slots:
            return use(table)

    def _checked(self, table: Any) -> Any:
        """Return the table to go on with; what is no table has no schema."""
        check = self.model.check_in
        return table if check is None or not isinstance(table, pd.DataFrame) else check(table)

    def _call(self, table: Any, context: Context, call: _Call) -> Predictions:
        """Run the hooks on what was read, none for no rows; what is no table may give any number of predictions."""
        if self.reporter is not None:
            # Now: hooks, and steps of a pipeline, may change the table in place.
            call.features = snapshot(table)
        subject, target, score = self.model, self.info.target, self._scorer()
        rows = len(table) if isinstance(table, pd.DataFrame) else None
        if rows == 0:
            # What a transform hook would have made of the columns is not known.
            if subject.check_columns is not None and subject.transform is None:
                subject.check_columns(table)
            return predictions.nothing(target)
        scores = (
            score(table, context) if subject.transform is None else _scored(subject.transform, score, table, context)
        )
        with predictions.returned_by("score" if self.info.framework is None else None):
            result = predictions.marshal(scores, target, rows=rows)
        if subject.post_process is None:
            return result
        with predictions.returned_by("post_process"):
            processed = predictions.marshal(subject.post_process(result.frame()), target, rows=len(result))
        return Predictions(processed.columns, processed.values, result.extra)

    def transform(
        self, payload: Payload, target: Payload | None = None, *, request_id: str | None = None
    ) -> Transformed:
        """Return what a transform model makes of the table in a payload; a target that comes along is not changed."""
        convert = self.model.convert
        if convert is None:
            raise self._unsupported()
        with self._observed() as call:
            known = None if target is None else tables.read(target)
            result = self._on_table(payload, lambda table: _converted(convert, table, known))
            if self.model.check_out is not None:
                result = replace(result, table=self.model.check_out(result.table))
            call.rows = len(result)
        if self.reporter is not None:
            self.reporter(Report(time.time(), request_id, Stats(call.rows, call.seconds * 1000)))
        return result

    def answer(
        self,
        payload: Payload,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        request_id: str | None = None,
    ) -> Reply:
        """Return an unstructured model's reply; `headers` are those of the request, None in batch."""
        if self.model.answer is None:
            raise self._unsupported()
        mlops = None if self.mlops is None else self.mlops(request_id)
        question = Question(query, headers, mlops)
        with self._observed() as call, self.slots:
            reply = self.model.answer(payload, question)
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
            call.seconds = time.perf_counter() - start
            observation = Observation(call.rows, call.seconds, failure)
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


def _scored(
    transform: Callable[[Any], Any], score: Callable[[Any, Context], Scores], table: Any, context: Context
) -> Scores:
    """Score what the transform hook makes of a table; columns that only it can have lost are not the sender's fault."""
    # Now: the hook may change the table in place.
    came = frozenset(map(str, table.columns)) if isinstance(table, pd.DataFrame) else frozenset()
    prepared = transform(table)
    try:
        return score(prepared, context)
    except MissingColumns as error:
        kind = ContractError if error.names <= came else InputError
        raise kind(f"The table that the transform hook returned {error.words}") from error


def _converted(convert: Convert, table: Any, target: pd.DataFrame | None) -> Transformed:
    """Run the hook on what was read; without a table of rows the number of rows is the user's affair."""
    rows = len(table) if isinstance(table, pd.DataFrame) else None
    if rows is not None and target is not None and len(target) != rows:
        raise InputError(f"The target has {len(target)} rows, expected one for each of the {rows} rows of the table")
    # The hook gets a copy: the target goes back as it came.
    result = convert(table, None if target is None else target.copy())
    return transformed.check(result, rows=rows, target=target)


def _report(call: _Call, result: Predictions, target: Target, request_id: str | None) -> Report:
    """Return what is told of a call; predictions are copied, since models may use their memory again."""
    names = target.labels or None
    values = result.values[:, [result.columns.index(name) for name in names] if names else 0].copy()
    samples = Samples(call.features, values, names)
    return Report(time.time(), request_id, Stats(call.rows, call.seconds * 1000), samples)


def open_predictor(
    settings: ModelSettings,
    *,
    observers: tuple[Observer, ...] = (),
    threads: int | None = None,
    tell: Callable[..., None] = logs.notice,
) -> Predictor:
    """Open the folder that settings name, load its model, and tell a person what had to be inferred."""
    folder = codedir.open_folder(settings.code_dir, settings.language, refuses_code=settings.no_pickle)
    loaded = model.load(folder, declared_by(settings), is_strict=not settings.disable_strict_validation)
    notices = [text for text in (loaded.info.version_notice, loaded.info.notice) if text]
    if notices:
        tell(*notices)
    return Predictor(loaded, observers, _slots(threads, is_thread_safe=loaded.traits.is_thread_safe))


def declared_by(settings: ModelSettings) -> Declared:
    """Return what the options say of the target; labels that are given twice are a usage error."""
    return Declared(
        TargetType(settings.target_type) if settings.target_type else None,
        settings.positive_class_label,
        settings.negative_class_label,
        _class_labels(settings),
        settings.target_name,
    )


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
