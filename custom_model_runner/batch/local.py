"""One input that is handed over as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pandas as pd

from custom_model_runner import plugins
from custom_model_runner.addresses import Address
from custom_model_runner.batch import keys, mixed, preview, rejects, segments, sinks, sources
from custom_model_runner.batch.plan import Plan, takes_blocks
from custom_model_runner.batch.rest import InBlock, OfRows
from custom_model_runner.data import answers, compression, tables, transformed
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.reply import Reply
from custom_model_runner.errors import BaseCustomUserError, PayloadTooLarge, RunnerError, UsageError
from custom_model_runner.model import ModelInfo
from custom_model_runner.predictor import Predictor
from custom_model_runner.settings import ScoreSettings
from custom_model_runner.target_type import TargetType

# Compressions, workbooks and the like that no format of ours is.
FOREIGN = frozenset(
    {
        ".7z",
        ".avro",
        ".bz2",
        ".h5",
        ".lz4",
        ".npy",
        ".ods",
        ".orc",
        ".pickle",
        ".pkl",
        ".tar",
        ".xls",
        ".xlsx",
        ".xz",
        ".zip",
    }
)
NOTHING_RETURNED = b"The score_unstructured hook returned None\n"


def read(predictor: Predictor, plan: Plan) -> bytes:
    """Return the input; a folder with a reader of its own, or an unstructured model, gets the file as it is."""
    if not takes_blocks(predictor.model):
        return sources.read(plan.source)
    return sources.read_decoded(plan.source, plan.limits.table)[0]


def run(predictor: Predictor, settings: ScoreSettings, plan: Plan, data: bytes, *, for_terminal: bool) -> bytes:
    """Return the whole output of a batch: data, or a preview of it for a person at a terminal."""
    with bounded():
        return _run(predictor, settings, plan, data, for_terminal=for_terminal)


@contextmanager
def bounded() -> Iterator[None]:
    """Have a lack of memory be a failure of the input."""
    try:
        yield
    except MemoryError as error:
        raise PayloadTooLarge("The input needs more memory than there is") from error


def check(info: ModelInfo, settings: ScoreSettings, plan: Plan) -> None:
    """Refuse options that are not for a model of this kind."""
    if info.target.type is TargetType.UNSTRUCTURED:
        _check_file(settings)
        return
    for flag, value in (("--query", settings.query), ("--content-type", settings.content_type)):
        if value is not None:
            raise UsageError(f"{flag} is for unstructured models; this one is '{info.target.type}'")
    if settings.output is not None and settings.output_format is None:
        _check_name(settings.output.name)
    if settings.output is not None and info.target.type is not TargetType.TRANSFORM:
        _check_type(plan.written_type)


def _check_file(settings: ScoreSettings) -> None:
    """Refuse options for tables where the input is a file of any kind."""
    for flag, value in (
        ("--passthrough", settings.passthrough or None),
        ("--batch-rows", settings.batch_rows),
        ("--sparse-column-file", settings.column_names),
        ("--input-format", settings.input_format),
        ("--output-format", settings.output_format),
    ):
        if value is not None:
            raise UsageError(f"{flag} is for tables; this model is unstructured, and gets the file as it is")


def _check_name(name: str) -> None:
    """Refuse a name by which others would take an output for what it is not."""
    suffix = Path(compression.split(name)[0]).suffix.lower()
    if suffix in FOREIGN:
        raise UsageError(
            f"--output: predictions are not written as {suffix}, expected one of: {_suffixes()}; "
            "--output-format tells the format of a file with another name"
        )


def _suffixes() -> str:
    return ", ".join(suffix for line in plugins.FORMATS.values() if line.writes for suffix in line.suffixes)


def check_whole(predictor: Predictor, settings: ScoreSettings, plan: Plan) -> None:
    """Refuse what does not go with an input that is handed over as a whole."""
    if len(plan.sources) > 1:
        why = _why_whole(predictor, settings, plan)
        raise UsageError(f"--input: all is handed over at once ({why}), expected one file, found {len(plan.sources)}")
    if settings.on_error != rejects.STOP:
        raise UsageError("--on-error: the input is handed over as a whole, so that a failure is one of all its rows")


def regardless(predictor: Predictor, settings: ScoreSettings, plan: Plan) -> Iterator[str]:
    """Yield a line about options that do nothing, if there are any, where an input is handed over as a whole."""
    given = {"--batch-rows": settings.batch_rows is not None, "--workers": plan.workers > 1}
    idle = " and ".join(flag for flag, is_given in given.items() if is_given)
    if idle:
        why = _why_whole(predictor, settings, plan)
        yield f"all is handed over at once, regardless of {idle}, since {why}"


def _why_whole(predictor: Predictor, settings: ScoreSettings, plan: Plan) -> str:
    if not takes_blocks(predictor.model):
        return "this model reads its input for itself"
    if settings.whole_file:
        return "--whole-file is given"
    if plan.written_type not in segments.STREAMED:
        return f"the output is {plan.written_type}"
    return f"it is {plan.media_type}"


def _run(predictor: Predictor, settings: ScoreSettings, plan: Plan, data: bytes, *, for_terminal: bool) -> bytes:
    if predictor.info.target.type is TargetType.UNSTRUCTURED:
        query = dict(parse_qsl(settings.query or ""))
        reply = predictor.answer(Payload.of(data, settings.content_type), query)
        return _show(reply) if for_terminal else NOTHING_RETURNED if reply.is_none else reply.body
    payload = _read(predictor, _table(predictor, settings, plan, data))
    if predictor.info.target.type is TargetType.TRANSFORM:
        with _of_rows(predictor, payload, plan):
            result = keys.transform(predictor, payload, settings.passthrough)
        return _transform(result, settings.output, plan, for_terminal=for_terminal)
    with _of_rows(predictor, payload, plan):
        predictions = keys.score(predictor, payload, settings.passthrough)
    return _preview(predictions) if for_terminal else _written(predictions, plan)


def _read(predictor: Predictor, payload: Payload) -> Payload:
    return payload if predictor.model.read is not None else replace(payload, table=predictor.read(payload))


@contextmanager
def _of_rows(predictor: Predictor, payload: Payload, plan: Plan) -> Iterator[None]:
    """Have a failure name the input, and its rows where they are known."""
    rows = 0 if payload.table is None else len(payload.table)
    try:
        yield
    except (RunnerError, BaseCustomUserError) as error:
        failure = OfRows(rows, error)
        failure.args += mixed.why(predictor, payload, error)
        raise InBlock(0, plan.name, failure) from error


def _table(predictor: Predictor, settings: ScoreSettings, plan: Plan, data: bytes) -> Payload:
    reads_itself = predictor.model.read is not None
    if settings.column_names is not None and not reads_itself and plan.media_type != transformed.MATRIX_MARKET:
        raise UsageError("--sparse-column-file is for MatrixMarket inputs (.mtx), whose columns have no names")
    return Payload(data, plan.media_type, column_names=settings.column_names, limit=plan.limits.table)


def _check_type(media_type: str) -> None:
    """Refuse a format in which predictions are not written; an unknown suffix means CSV."""
    if media_type not in tables.writable():
        raise UsageError(f"--output: predictions are not written as {media_type}, expected one of: {_suffixes()}")


def _written(predictions: Predictions, plan: Plan) -> bytes:
    """Return predictions in the format and with the compression of the plan."""
    return _packed(answers.write(predictions, plan.written_type), plan)


def _packed(data: bytes, plan: Plan) -> bytes:
    return compression.encoded(data, plan.written_encoding) if plan.written_encoding else data


def _transform(
    result: transformed.Transformed, output: Path | Address | None, plan: Plan, *, for_terminal: bool
) -> bytes:
    if for_terminal:
        return preview.of(result.table)
    data = transformed.write(result, plan.written_type)
    if output is not None and plan.written_type == transformed.MATRIX_MARKET:
        # The format has no names of columns; they stand where `--sparse-column-file` can take them from.
        sinks.write(output.with_name(f"{output.name}.colnames"), result.names + b"\n")
    return _packed(data, plan)


def _preview(predictions: Predictions) -> bytes:
    frame = predictions.frame()
    return preview.of(frame if predictions.extra is None else pd.concat([frame, predictions.extra], axis=1))


def _show(reply: Reply) -> bytes:
    if reply.is_none:
        return NOTHING_RETURNED
    if not reply.is_text:
        return f"{len(reply.body)} bytes of {reply.content_type}; --output FILE keeps them\n".encode()
    return reply.body if reply.body.endswith(b"\n") else reply.body + b"\n"
