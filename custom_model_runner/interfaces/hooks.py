"""A folder with a user file: the hooks it defines, completed by the framework of its artifact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from custom_model_runner import border, estimator, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data import predictions, reply
from custom_model_runner.data.payload import DEFAULT_CHARSET, DEFAULT_MEDIA_TYPE, Payload
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.target import Declared, Hint, Target, settle
from custom_model_runner.errors import ContractError, LoadError, RunnerError, UserCodeError
from custom_model_runner.interfaces import signatures
from custom_model_runner.model import Context, Model, ModelInfo, Traits, UserCode
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
    "score_unstructured": Shape(2, ("mimetype", "charset", "query", "headers")),
}
Hook = Callable[..., Any]


def load(codedir: CodeDir, declared: Declared) -> Model:
    """Import the user file, run its `init`, load the model, and bind the hooks to it."""
    language = plugins.find(plugins.choose(plugins.LANGUAGES, codedir.language, what="language"))
    code: UserCode = language.load(codedir, HOOKS)
    try:
        return _bind(codedir, code, declared)
    except BaseException:
        code.close()
        raise


def _bind(codedir: CodeDir, code: UserCode, declared: Declared) -> Model:
    hooks = {name: _guard(name, hook) for name, hook in code.hooks.items()}
    if "init" in hooks:
        hooks["init"](code_dir=str(codedir.path), as_error=LoadError)
    is_unstructured = _is_unstructured(declared, hooks)
    model = _load_model(codedir, hooks)
    framework = None if is_unstructured or "score" in hooks else estimator.framework_of(model)
    library = None
    if not is_unstructured and "score" not in hooks:
        library = estimator.find_framework(model, framework)
    target, notice = settle(declared, _hint(model, is_unstructured=is_unstructured))
    if library is not None:
        library.check(model, target)
    metadata = codedir.metadata
    is_bare = not code.hooks
    return Model(
        info=ModelInfo(target, codedir.path, codedir.language, codedir.interface, framework, metadata.raw, notice),
        **_abilities(hooks, model, library, target, is_unstructured=is_unstructured),
        traits=Traits(
            is_thread_safe=is_bare if metadata.is_thread_safe is None else metadata.is_thread_safe,
            is_fork_safe=is_bare if metadata.is_fork_safe is None else metadata.is_fork_safe,
        ),
        close=code.close,
    )


def _guard(name: str, hook: Hook) -> Hook:
    """Return the hook behind the border, given only the keywords it takes."""
    shape = HOOKS[name]
    names = signatures.accepted(name, hook, shape.positional, shape.keywords)

    def guarded(*args: Any, as_error: type[RunnerError] = UserCodeError, **kwargs: Any) -> Any:
        failing = f"The {name} hook raised. Exception:"
        return border.call(hook, *args, failing=failing, as_error=as_error, **signatures.keep(kwargs, names))

    return guarded


def _is_unstructured(declared: Declared, hooks: Mapping[str, Hook]) -> bool:
    if declared.type is TargetType.UNSTRUCTURED and "score_unstructured" not in hooks:
        raise LoadError("An unstructured model needs a score_unstructured hook; the user file has none")
    only_unstructured = declared.type is None and "score_unstructured" in hooks and "score" not in hooks
    return declared.type is TargetType.UNSTRUCTURED or only_unstructured


def _load_model(codedir: CodeDir, hooks: Mapping[str, Hook]) -> Any:
    if "load_model" in hooks:
        model = hooks["load_model"](str(codedir.path), as_error=LoadError)
        if model is None:
            raise LoadError("The load_model hook returned None, expected the loaded model")
        return model
    can_score = "score" in hooks or "score_unstructured" in hooks
    return None if can_score and not codedir.artifacts else estimator.load(codedir)


def _hint(model: Any, *, is_unstructured: bool) -> Hint | None:
    if is_unstructured:
        return Hint(TargetType.UNSTRUCTURED)
    framework = estimator.framework_of(model)
    hint: Hint | None = estimator.find_framework(model, framework).hint(model) if framework else None
    return hint


def _abilities(
    hooks: Mapping[str, Hook], model: Any, library: Any, target: Target, *, is_unstructured: bool
) -> dict[str, Any]:
    """Return the functions of the model record by field name."""
    abilities: dict[str, Any] = {}
    if "score_unstructured" in hooks:
        abilities["answer"] = partial(_answer, hooks["score_unstructured"], model)
    if is_unstructured:
        return abilities
    if "read_input_data" in hooks:
        abilities["read"] = partial(_read, hooks["read_input_data"])
    if "transform" in hooks:
        abilities["transform"] = partial(_transform, hooks["transform"], model)
    if "post_process" in hooks:
        abilities["post_process"] = partial(_post_process, hooks["post_process"], model, target)
    if "score" in hooks:
        abilities["score"] = partial(_score, hooks["score"], model, target)
    else:
        abilities["score"] = partial(_library_score, library, model, target)
    return abilities


def _read(hook: Hook, data: bytes) -> Any:
    table = hook(data)
    if table is None:
        raise ContractError("The read_input_data hook returned None, expected the data it read")
    return table


def _transform(hook: Hook, model: Any, table: Any) -> pd.DataFrame:
    result = hook(table, model)
    if isinstance(result, tuple):
        raise ContractError("Transformation of the target variable is not supported by DRUM.")
    return _frame("transform", result)


def _frame(name: str, result: Any) -> pd.DataFrame:
    if not isinstance(result, pd.DataFrame):
        raise ContractError(f"The {name} hook returned {type(result).__name__}, expected a DataFrame")
    return result


def _score(hook: Hook, model: Any, target: Target, table: Any, context: Context) -> Scores:
    frame = _frame("score", hook(table, model, **_score_keywords(target, context)))
    return predictions.from_frame(frame, target)


def _score_keywords(target: Target, context: Context) -> dict[str, Any]:
    keywords: dict[str, Any] = {
        "binary_data": context.data,
        "mimetype": context.media_type,
        "sparse_colnames": context.sparse_colnames,
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


def _library_score(library: Any, model: Any, target: Target, table: Any, _context: Context) -> Scores:
    if not isinstance(table, pd.DataFrame):
        raise ContractError(
            f"The read_input_data hook returned {type(table).__name__}; without a score hook it must be a DataFrame"
        )
    failing = f"{type(model).__name__} failed. Exception:"
    scores: Scores = border.call(library.score, model, table, target, failing=failing)
    return scores


def _post_process(hook: Hook, model: Any, target: Target, frame: pd.DataFrame) -> Scores:
    result = _frame("post_process", hook(frame, model))
    return Scores(result.to_numpy(), list(result.columns) if target.is_classification else None)


def _answer(
    hook: Hook, model: Any, payload: Payload, query: Mapping[str, str], headers: Mapping[str, str] | None
) -> reply.Reply:
    keywords: dict[str, Any] = {"mimetype": payload.media_type or DEFAULT_MEDIA_TYPE, "query": query}
    if headers is not None:
        keywords["headers"] = headers
    data: str | bytes = payload.data
    if payload.is_text:
        data = payload.text()
        keywords["charset"] = payload.charset or DEFAULT_CHARSET
    elif payload.charset is not None:
        keywords["charset"] = payload.charset
    return reply.read(hook(model, data, **keywords))
