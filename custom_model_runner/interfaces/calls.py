"""How each hook is called, and what it must return."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custom_model_runner import border
from custom_model_runner.data import predictions, reply
from custom_model_runner.data.payload import DEFAULT_CHARSET, DEFAULT_MEDIA_TYPE, Payload
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Target
from custom_model_runner.errors import ContractError, LoadError, RunnerError, UserCodeError
from custom_model_runner.interfaces import signatures
from custom_model_runner.model import Context, Question
from custom_model_runner.target_type import TargetType


@dataclass(frozen=True)
class Shape:
    """How a hook is called: how many arguments by position, which by keyword."""

    positional: int
    keywords: tuple[str, ...] = ()


HOOKS = {
    "init": Shape(0, ("code_dir",)),
    "read_input_data": Shape(1),
    "load_model": Shape(1),
    "transform": Shape(2),
    "score": Shape(
        2,
        (
            "binary_data",
            "mimetype",
            "charset",
            "sparse_colnames",
            "target_type",
            "positive_class_label",
            "negative_class_label",
            "class_labels",
        ),
    ),
    "post_process": Shape(2),
    "score_unstructured": Shape(2, ("mimetype", "charset", "query", "headers", "mlops")),
    "chat": Shape(2, ("headers",)),
    "get_supported_llm_models": Shape(1),
}
Hook = Callable[..., Any]


def guard(name: str, hook: Hook, *, positional: int | None = None) -> Hook:
    """Return the hook behind the border, given only the keywords it takes."""
    if inspect.iscoroutinefunction(hook) or inspect.isasyncgenfunction(hook):
        raise LoadError(f"The {name} hook is an async function, expected an ordinary one")
    shape = HOOKS[name]
    names = signatures.accepted(name, hook, positional or shape.positional, shape.keywords)
    file = border.file_of(hook)

    def guarded(*args: Any, as_error: type[RunnerError] = UserCodeError, **kwargs: Any) -> Any:
        failing = f"The {name} hook raised. Exception:"
        keywords = signatures.keep(kwargs, names)
        return border.call(hook, *args, failing=failing, as_error=as_error, file=file, **keywords)

    return guarded


def check_score(hook: Hook, target: Target) -> None:
    """Refuse, at load, a score hook that requires what its target does not have."""
    given = _score_keywords(target, Context(b"", "", charset=""))
    signatures.accepted("score", hook, HOOKS["score"].positional, tuple(given))


def guard_convert(hook: Hook) -> Hook:
    """Return the transform hook of a transform model behind the border; it takes the target only if it can."""
    count = signatures.positions(hook)
    if count not in (None, 2, 3):
        raise LoadError(
            f"The transform hook takes {count} arguments by position, expected transform(data, model) "
            "or transform(data, model, target)"
        )
    if count != 2:
        return guard("transform", hook, positional=3)
    without_target = guard("transform", hook)
    return lambda table, model, _target: without_target(table, model)


def read(hook: Hook, data: bytes) -> Any:
    """Return what the user read from the bytes."""
    table = hook(data)
    if table is None:
        raise ContractError("The read_input_data hook returned None, expected the data it read")
    return table


def transform(hook: Hook, model: Any, table: Any) -> pd.DataFrame:
    """Return the user's prepared table."""
    return _transformed(hook(table, model))


def _transformed(result: Any) -> pd.DataFrame:
    if isinstance(result, tuple):
        raise ContractError("Transformation of the target variable is not supported by DRUM.")
    return _frame("transform", result)


def convert(hook: Hook, model: Any, table: Any, target: pd.DataFrame | None) -> pd.DataFrame:
    """Return what the transform hook of a transform model made of a table and of its target."""
    return _transformed(hook(table, model, target))


def _frame(name: str, result: Any) -> pd.DataFrame:
    if not isinstance(result, pd.DataFrame):
        raise ContractError(f"The {name} hook returned {type(result).__name__}, expected a DataFrame")
    return result


def score(hook: Hook, model: Any, target: Target, table: Any, context: Context) -> Scores:
    """Return the user's predictions and extra columns."""
    frame = _frame("score", hook(table, model, **_score_keywords(target, context)))
    with predictions.returned_by("score"):
        return predictions.from_frame(frame, target)


def _score_keywords(target: Target, context: Context) -> dict[str, Any]:
    keywords: dict[str, Any] = {
        "binary_data": context.data,
        "mimetype": context.media_type,
        "sparse_colnames": None if context.sparse_colnames is None else list(context.sparse_colnames),
        "target_type": target.type,
    }
    if context.charset is not None:
        keywords["charset"] = context.charset
    if target.type is TargetType.BINARY:
        keywords["positive_class_label"] = target.positive_label
        keywords["negative_class_label"] = target.negative_label
    elif target.is_classification:
        keywords["class_labels"] = list(target.labels)
    return keywords


def post_process(hook: Hook, model: Any, target: Target, frame: pd.DataFrame) -> Scores:
    """Return the predictions as the user changed them."""
    result = _frame("post_process", hook(frame, model))
    return Scores(result.to_numpy(), list(result.columns) if target.is_classification else None)


def answer(hook: Hook, model: Any, payload: Payload, question: Question) -> reply.Reply:
    """Return the user's reply to text or bytes."""
    keywords: dict[str, Any] = {"mimetype": payload.media_type or DEFAULT_MEDIA_TYPE, "query": question.query}
    optional = {"headers": question.headers, "mlops": question.mlops}
    keywords |= {name: value for name, value in optional.items() if value is not None}
    data: str | bytes = payload.data
    if payload.is_text:
        data = payload.text()
        keywords["charset"] = payload.charset or DEFAULT_CHARSET
    elif payload.charset is not None:
        keywords["charset"] = payload.charset
    return reply.read(hook(model, data, **keywords))
