"""Score one file in this process."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pandas as pd

from custom_model_runner import plugins
from custom_model_runner.batch import sinks, sources
from custom_model_runner.data import answers, compression, tables, transformed
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.data.reply import Reply
from custom_model_runner.errors import PayloadTooLarge, UsageError
from custom_model_runner.predictor import Predictor
from custom_model_runner.settings import ScoreSettings
from custom_model_runner.target_type import TargetType

NOTHING_RETURNED = b"The score_unstructured hook returned None\n"
PREVIEW_ROWS = 20


def run(predictor: Predictor, settings: ScoreSettings, *, for_terminal: bool) -> bytes:
    """Return the whole output of a batch: data, or a preview of it for a person at a terminal."""
    try:
        return _run(predictor, settings, for_terminal=for_terminal)
    except MemoryError as error:
        raise PayloadTooLarge("The input needs more memory than there is") from error


def _run(predictor: Predictor, settings: ScoreSettings, *, for_terminal: bool) -> bytes:
    if predictor.info.target.type is TargetType.UNSTRUCTURED:
        query = dict(parse_qsl(settings.query or ""))
        reply = predictor.answer(Payload.of(sources.read(settings.input), settings.content_type), query)
        return _show(reply) if for_terminal else NOTHING_RETURNED if reply.is_none else reply.body
    for flag, value in (("--query", settings.query), ("--content-type", settings.content_type)):
        if value is not None:
            raise UsageError(f"{flag} is for unstructured models; this one is '{predictor.info.target.type}'")
    is_transform = predictor.info.target.type is TargetType.TRANSFORM
    if settings.output is not None and not is_transform:
        _check_suffix(settings.output)
    payload = _table(predictor, settings)
    if is_transform:
        return _transform(predictor, payload, settings.output, for_terminal=for_terminal)
    predictions = predictor.score(payload)
    return _preview(predictions) if for_terminal else _written(predictions, settings.output)


def _table(predictor: Predictor, settings: ScoreSettings) -> Payload:
    """Return the input; a folder with a reader of its own gets the file as it is."""
    limit = sources.limit_of(settings.max_decoded_bytes)
    data, name = (
        sources.read_decoded(settings.input, limit)
        if predictor.model.read is None
        else (sources.read(settings.input), settings.input)
    )
    media_type = tables.media_type_of(name)
    if settings.column_names is not None and predictor.model.read is None and media_type != transformed.MATRIX_MARKET:
        raise UsageError("--sparse-column-file is for MatrixMarket inputs (.mtx), whose columns have no names")
    return Payload(data, media_type, column_names=settings.column_names, limit=limit)


def _check_suffix(output: Path) -> None:
    """Refuse the suffix of a format in which predictions are not written; an unknown suffix means CSV."""
    media_type = tables.media_type_of(compression.split(output.name)[0])
    if media_type not in tables.writable():
        lines = [line for line in plugins.FORMATS.values() if line.writes]
        suffixes = ", ".join(suffix for line in lines for suffix in line.suffixes)
        raise UsageError(f"--output: predictions are not written as {media_type}, expected one of: {suffixes}")


def _written(predictions: Predictions, output: Path | None) -> bytes:
    """Return predictions in the format and with the compression that a file's suffixes tell."""
    name, encoding = compression.split(output.name if output else "")
    data = answers.write(predictions, tables.written_type_of(name))
    return compression.encoded(data, encoding) if encoding else data


def _transform(predictor: Predictor, payload: Payload, output: Path | None, *, for_terminal: bool) -> bytes:
    result = predictor.transform(payload)
    if for_terminal:
        return _shortened(result.table)
    name, encoding = compression.split(output.name if output else "")
    media_type = tables.media_type_of(name)
    data = transformed.write(result, media_type)
    if output is not None and media_type == transformed.MATRIX_MARKET:
        # The format has no names of columns; they stand where `--sparse-column-file` can take them from.
        sinks.write(output.with_name(f"{output.name}.colnames"), result.names + b"\n")
    return compression.encoded(data, encoding) if encoding else data


def _preview(predictions: Predictions) -> bytes:
    frame = predictions.frame()
    if predictions.extra is not None:
        frame = pd.concat([frame, predictions.extra], axis=1)
    return _shortened(frame)


def _shortened(frame: pd.DataFrame) -> bytes:
    return f"{frame.to_string(max_rows=PREVIEW_ROWS, show_dimensions=True)}\n".encode()


def _show(reply: Reply) -> bytes:
    if reply.is_none:
        return NOTHING_RETURNED
    if not reply.is_text:
        return f"{len(reply.body)} bytes of {reply.content_type}; --output FILE keeps them\n".encode()
    return reply.body if reply.body.endswith(b"\n") else reply.body + b"\n"
