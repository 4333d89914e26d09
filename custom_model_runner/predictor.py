"""The one pipeline: decode, check, call, marshal, check, record. It knows neither HTTP nor argv."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pandas as pd

from custom_model_runner import codedir, conversation, endpoints, logs, model, options
from custom_model_runner.conversation import Slots, one_at_a_time
from custom_model_runner.data import call as calls
from custom_model_runner.data import chat, predictions, tables, transformed
from custom_model_runner.data.call import Call
from custom_model_runner.data.chat import Asked, Said
from custom_model_runner.data.observation import Observation, Observer
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Bare, Predictions, Scores
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.report import Report, Reporter, snapshot
from custom_model_runner.data.stages import DECODE, QUEUE, Stages
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import ContractError, InputError, MissingColumns, UsageError, UserCodeError
from custom_model_runner.model import Context, Model, ModelInfo, Question
from custom_model_runner.settings import ModelSettings

Result = TypeVar("Result")


@dataclass(frozen=True)
class Predictor:
    """A loaded model and the way to call it; a call is inside what `slots` returns while it is inside the model.

    `reporter` is told of structured calls; `mlops` makes what an unstructured model reports with, per request.
    `bare` scores rows of which no table is made.
    """

    model: Model
    observers: tuple[Observer, ...] = ()
    slots: Slots = field(default_factory=one_at_a_time)
    reporter: Reporter | None = None
    mlops: Callable[[str | None], object] | None = None
    bare: Bare | None = None

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self.model.info

    def score(
        self,
        payload: Payload,
        *,
        charset: str | None = None,
        request_id: str | None = None,
        stages: Stages | None = None,
    ) -> Predictions:
        """Return checked predictions for the table in a payload; `charset` is what a server tells its hooks.

        What takes time ends a stage of `stages`, here and in the other calls.
        """
        self._scorer()
        context = Context(payload.data, payload.media_type or "text/csv", charset, payload.column_names)
        with self._observed(stages) as call:
            result = self._on_rows(payload, context, call)
            call.rows = len(result)
        if self.reporter is not None:
            self.reporter(calls.report(call, result, self.info.target, request_id=request_id, size=len(payload.data)))
        return result

    def _scorer(self) -> Callable[[Any, Context], Scores]:
        if self.model.score is None:
            raise endpoints.unsupported(self.model)
        return self.model.score

    def _on_rows(self, payload: Payload, context: Context, call: Call) -> Predictions:
        """Score a payload, without a table of all its rows if that makes no difference."""
        if self.bare is not None and payload.table is None:
            if (rows := tables.rows(payload)) is not None:
                call.stages.end(DECODE)
                with self.slots():
                    call.stages.end(QUEUE)
                    if (scores := self.bare.rows(rows)) is None:
                        return self._call(rows.table(), context, call)
                    return self._finish(scores, len(rows), call.stages)
            if self.bare.is_by_row and tables.is_large(payload):
                return self._on_pieces(payload, context, call)
        return self._on_table(payload, lambda table: self._call(table, context, call), call.stages)

    def _on_pieces(self, payload: Payload, context: Context, call: Call) -> Predictions:
        """Score a large payload while it is read, or all of it: also what is wrong with it is told of the whole."""
        with self.slots():
            call.stages.end(QUEUE)
            try:
                parts = tables.each_piece(payload, lambda table: self._call(table, context, Call(Stages())))
            except (InputError, UserCodeError):
                parts = None
            if parts is None:
                return self._call(self.read(payload), context, call)
            call.stages.end("score")
            return predictions.joined(parts)

    def _on_table(self, payload: Payload, use: Callable[[Any], Result], stages: Stages) -> Result:
        """Use the table of a payload; what reads it outside the model takes no slot."""
        if self.model.read is not None:
            with self.slots():
                stages.end(QUEUE)
                read = self._checked(self.model.read(payload.data))
                stages.end(DECODE)
                return use(read)
        table = self.read(payload) if payload.table is None else payload.table
        stages.end(DECODE)
        with self.slots():
            stages.end(QUEUE)
            return use(table)

    def read(self, payload: Payload) -> Any:
        """Return the checked table of a payload, for a model that does not read for itself."""
        return self._checked(tables.read(replace(payload, text_columns=self.model.text_columns)))

    def _checked(self, table: Any) -> Any:
        """Return the table to go on with; what is no table has no schema."""
        check = self.model.check_in
        return table if check is None or not isinstance(table, pd.DataFrame) else check(table)

    def _call(self, table: Any, context: Context, call: Call) -> Predictions:
        """Run the hooks on what was read, none for no rows; what is no table may give any number of predictions."""
        if self.reporter is not None:
            # Now: hooks, and steps of a pipeline, may change the table in place.
            call.features = snapshot(table)
        subject, target = self.model, self.info.target
        rows = len(table) if isinstance(table, pd.DataFrame) else None
        if rows == 0:
            # What a transform hook would have made of the columns is not known.
            if subject.check_columns is not None and subject.transform is None:
                subject.check_columns(table)
            return predictions.nothing(target)
        return self._finish(self._scores(table, context, call.stages), rows, call.stages)

    def _finish(self, scores: Scores, rows: int | None, stages: Stages) -> Predictions:
        """Check what was scored, and run the hook that works on predictions."""
        post_process, target = self.model.post_process, self.info.target
        with predictions.returned_by("score" if self.info.framework is None else None):
            result = predictions.marshal(scores, target, rows=rows)
        stages.end("score")
        if post_process is None:
            return result
        with predictions.returned_by("post_process"):
            processed = predictions.marshal(post_process(result.frame()), target, rows=len(result))
        stages.end("post_process")
        return Predictions(processed.columns, processed.values, result.extra)

    def _scores(self, table: Any, context: Context, stages: Stages) -> Scores:
        """Score what the transform hook makes of a table; columns that only it can have lost are its fault."""
        transform, score = self.model.transform, self._scorer()
        if transform is None:
            return score(table, context)
        # Now: the hook may change the table in place, though not its index of names.
        came = table.columns if isinstance(table, pd.DataFrame) else ()
        prepared = transform(table)
        stages.end("transform")
        try:
            return score(prepared, context)
        except MissingColumns as error:
            kind = ContractError if error.names <= frozenset(map(str, came)) else InputError
            raise kind(f"The table that the transform hook returned {error.words}") from error

    def transform(
        self,
        payload: Payload,
        target: Payload | None = None,
        *,
        request_id: str | None = None,
        stages: Stages | None = None,
    ) -> Transformed:
        """Return what a transform model makes of the table in a payload; a target that comes along is not changed."""
        convert = self.model.convert
        if convert is None:
            raise endpoints.unsupported(self.model)
        with self._observed(stages) as call:
            known = None if target is None else tables.read(target)
            result = self._on_table(payload, lambda table: transformed.convert(convert, table, known), call.stages)
            if self.model.check_out is not None:
                result = replace(result, table=self.model.check_out(result.table))
            call.stages.end("transform")
            call.rows = len(result)
        if self.reporter is not None:
            self.reporter(Report(time.time(), request_id, call.stats()))
        return result

    def answer(
        self,
        payload: Payload,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        request_id: str | None = None,
        stages: Stages | None = None,
    ) -> Reply:
        """Return an unstructured model's reply; `headers` are those of the request, None in batch."""
        if self.model.answer is None:
            raise endpoints.unsupported(self.model)
        mlops = None if self.mlops is None else self.mlops(request_id)
        question = Question(query, headers, mlops)
        with self._observed(stages) as call, self.slots():
            call.stages.end(QUEUE)
            reply = self.model.answer(payload, question)
            call.stages.end("score_unstructured")
            call.rows = 1
        return reply

    def predict(self, binary_data: bytes, mimetype: str = "text/csv") -> pd.DataFrame:
        """Return the predictions for a table, as a table with its extra columns."""
        result = self.score(Payload.of(binary_data, mimetype))
        return result.frame() if result.extra is None else result.frame().join(result.extra)

    def chat(self, params: dict[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """Return what the chat hook returns: a completion, or an iterator over chunks that holds a slot until its end.

        `params` are those of OpenAI's chat completions.
        """
        said = self.converse(chat.asked(params, headers or {}))
        return said.given if isinstance(said, Said) else (chunk.given for chunk in said)

    def converse(self, asked: Asked, *, stages: Stages | None = None) -> Said | Iterator[Said]:
        """Return what the model says to what is asked: a completion, or an iterator that is to be closed."""
        if self.model.chat is None:
            raise endpoints.chatless(self.model)
        return conversation.start(self.model.chat, asked, self._observed(stages), self.slots, self.reporter)

    def list_models(self) -> list[dict[str, Any]]:
        """Return the models that the folder says it offers to those who chat, each as an object of OpenAI's API."""
        if self.model.list_models is None:
            raise endpoints.listless(self.model)
        with self.slots():
            return self.model.list_models()

    @contextmanager
    def _observed(self, stages: Stages | None) -> Iterator[Call]:
        """Record one call when it ends."""
        call = Call(Stages() if stages is None else stages)
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


def open_predictor(
    settings: ModelSettings,
    *,
    observers: tuple[Observer, ...] = (),
    tell: Callable[..., None] = logs.notice,
) -> Predictor:
    """Open the folder that settings name, load its model, and tell a person what had to be inferred."""
    folder = codedir.open_folder(settings.code_dir, settings.language, refuses_code=settings.no_pickle)
    loaded = model.load(folder, model.declared_by(settings), is_strict=not settings.disable_strict_validation)
    notices = [text for text in (loaded.info.version_notice, loaded.info.notice) if text]
    if notices:
        tell(*notices)
    return Predictor(loaded, observers, nullcontext if loaded.traits.is_thread_safe else one_at_a_time())


def load(code_dir: str | Path, **given: Any) -> Predictor:
    """Open a folder in this process; options are the fields of `ModelSettings`, such as `target_type`."""
    known = [field.name for field in fields(ModelSettings)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"unknown option(s) {unknown}, expected among: {', '.join(known)}")
    return open_predictor(options.read(ModelSettings, {"code_dir": str(code_dir), **given}, {}))
