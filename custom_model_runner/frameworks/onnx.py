"""ONNX models in onnxruntime: one input that takes the matrix, or several that take columns by name."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as states

from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UnusableValues, UserCodeError
from custom_model_runner.frameworks import fitted, matrix, threads
from custom_model_runner.target_type import TargetType

LOG = logging.getLogger("drum.onnx")

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
TEXT = "tensor(string)"
TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    TEXT: np.object_,
}
FLOATS = frozenset({"tensor(float)", "tensor(double)", "tensor(float16)"})
ZIPMAP = "seq(map("
FATAL_ONLY = 4

Feed = dict[str, matrix.Array]


def load(path: Path) -> Any:
    """Open a session, on the GPU if onnxruntime can use one, with as many threads as OMP_NUM_THREADS says."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.limit()
    # Whatever fails is raised as well, and the log may quote the data.
    options.log_severity_level = FATAL_ONLY
    available = onnxruntime.get_available_providers()
    providers = [name for name in PROVIDERS if name in available]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except (states.InvalidProtobuf, states.NoModel) as error:
        raise LoadError(
            f"{path.name} is not an ONNX model: found {path.stat().st_size} bytes that cannot be parsed; export it anew"
        ) from error
    LOG.info("%s runs on %s", path.name, ", ".join(session.get_providers()))
    return session


def hint(model: Any) -> Hint | None:
    """Return what an output with probabilities reveals; the labels themselves are known only when it is called."""
    output = _probabilities(model) if isinstance(model, onnxruntime.InferenceSession) else None
    if output is None:
        return None
    width = _size(output.shape, 1)
    return Hint(TargetType.BINARY if width in (1, 2) else TargetType.MULTICLASS)


def check(model: Any, target: Target) -> None:
    """Refuse, at load, a model whose inputs or outputs do not fit a table and the target."""
    matrix.check_target(target, "ONNX")
    if not isinstance(model, onnxruntime.InferenceSession):
        raise LoadError(f"Expected an onnxruntime.InferenceSession, found {type(model).__name__}; write a score hook")
    inputs = model.get_inputs()
    for each in inputs:
        widest = 1 if len(inputs) > 1 else None
        is_matrix = each.type in TYPES and len(each.shape) <= 2
        if not is_matrix or (widest and _size(each.shape, 1) not in (None, widest)):
            expected = "one column" if widest else "a matrix"
            raise LoadError(
                f"The input {each.name!r} takes {each.type} of shape {each.shape}, expected {expected}; "
                "write a score hook"
            )
    _check_output(model, target)


def _check_output(model: Any, target: Target) -> None:
    output = _output(model, target)
    is_zipmap = output.type.startswith(ZIPMAP)
    if target.is_classification and output.type not in FLOATS and not is_zipmap:
        names = fitted.some(f"{each.name} ({each.type})" for each in model.get_outputs())
        raise LoadError(
            f"The model gives no probabilities, which the target type '{target.type}' needs: its outputs are {names}, "
            "expected one whose name contains 'prob'"
        )
    if not target.is_classification and output.type not in set(TYPES) - {TEXT}:
        raise LoadError(f"The output {output.name!r} is {output.type}, expected numbers; write a score hook")
    if not is_zipmap:
        matrix.check_outputs(_size(output.shape, 1), target)


def check_columns(model: Any, table: pd.DataFrame) -> None:
    """Refuse a table without the columns that the model takes, where it knows them."""
    inputs = model.get_inputs()
    if len(inputs) > 1:
        _columns(inputs, table)
    else:
        _check_width(inputs[0], table)


def score(model: Any, table: pd.DataFrame, target: Target) -> Scores:
    """Return the probabilities, with their labels if the model gives them, or the first output."""
    output = _output(model, target)
    feed = _feed(model.get_inputs(), table)
    result = _run(model, output.name, feed, len(table))
    labels = list(result[0]) if output.type.startswith(ZIPMAP) else None
    if labels is not None:
        result = np.array([[row[label] for label in labels] for row in result], dtype=np.float64)
    floats = [values.reshape(len(table), -1) for values in feed.values() if values.dtype.kind == "f"]
    given = np.hstack(floats) if floats else np.empty((len(table), 0))
    return Scores(matrix.settle(np.asarray(result), given, target), labels)


def _probabilities(model: Any) -> Any:
    return next((output for output in model.get_outputs() if "prob" in output.name.lower()), None)


def _output(model: Any, target: Target) -> Any:
    return (target.is_classification and _probabilities(model)) or model.get_outputs()[0]


def _feed(inputs: list[Any], table: pd.DataFrame) -> Feed:
    if len(inputs) > 1:
        columns = _columns(inputs, table)
        return {each.name: _values(each, table[[columns[each.name]]]) for each in inputs}
    [only] = inputs
    _check_width(only, table)
    return {only.name: _values(only, table)}


def _check_width(only: Any, table: pd.DataFrame) -> None:
    # An input of one dimension is a column.
    matrix.check_columns(table.shape[1], 1 if len(only.shape) == 1 else _size(only.shape, 1))


def _columns(inputs: list[Any], table: pd.DataFrame) -> dict[str, Any]:
    """Return the column of each input; exporters write `_` for what is not a letter, a digit or `_`."""
    plain: dict[str, Any] = {}
    for name in table.columns:
        plain.setdefault(re.sub(r"[^\w+]", "_", str(name)), name)
    plain |= {str(name): name for name in table.columns}
    missing = [each.name for each in inputs if each.name not in plain]
    if missing:
        raise fitted.lacking(missing, table, known=[each.name for each in inputs])
    return {each.name: plain[each.name] for each in inputs}


def _values(wanted: Any, part: pd.DataFrame) -> matrix.Array:
    try:
        values = _texts(part) if wanted.type == TEXT else matrix.numbers(part, TYPES[wanted.type])
    except InputError as error:
        raise type(error)(f"The input {wanted.name!r} of the model: ", *error.args) from error
    return values.reshape(len(part)) if len(wanted.shape) == 1 else values


def _texts(part: pd.DataFrame) -> matrix.Array:
    gaps = np.flatnonzero(part.isna().any())
    if len(gaps):
        raise UnusableValues(f"The model takes text; columns with missing values: {fitted.some(gaps)} (counted from 0)")
    return part.astype(str).to_numpy(dtype=object)


def _run(model: Any, output: str, feed: Feed, rows: int) -> Any:
    """Run the model; one that was exported for a fixed number of rows is run until all have had their turn."""
    size = next((size for each in model.get_inputs() if (size := _size(each.shape, 0))), None)
    try:
        parts = [model.run([output], block)[0] for block in _blocks(feed, rows, size)]
    except states.InvalidArgument as error:
        raise InputError(f"The ONNX model cannot use the input: {_widths(feed)}") from error
    except (states.Fail, states.RuntimeException, states.NotImplemented, states.EPFail) as error:
        # The library's text may quote the data.
        raise UserCodeError(f"The ONNX model raised {type(error).__name__}: {rows} rows, {_widths(feed)}") from error
    if size is None:
        return parts[0]
    return (
        [row for part in parts for row in part][:rows] if isinstance(parts[0], list) else np.concatenate(parts)[:rows]
    )


def _blocks(feed: Feed, rows: int, size: int | None) -> Iterator[Feed]:
    if size is None or size == rows:
        yield feed
        return
    for start in range(0, rows, size):
        # The last block is filled up with the last row.
        block = np.minimum(np.arange(start, start + size), rows - 1)
        yield {name: values[block] for name, values in feed.items()}


def _widths(feed: Feed) -> str:
    return ", ".join(f"{values.dtype} of {values[:1].size} columns for {name!r}" for name, values in feed.items())


def _size(shape: list[Any], axis: int) -> int | None:
    """Return how long an axis is; those that may vary have a name or nothing instead."""
    size = shape[axis] if axis < len(shape) else None
    return size if isinstance(size, int) and size > 0 else None
