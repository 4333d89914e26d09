"""A folder with a user file: the hooks it defines, completed by the framework of its artifact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from custom_model_runner import estimator, opening, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.target import Declared, Hint, Target, settle
from custom_model_runner.errors import LoadError
from custom_model_runner.estimator import Estimator
from custom_model_runner.interfaces import calls, chats
from custom_model_runner.model import Model, ModelInfo, UserCode, traits_of
from custom_model_runner.opening import Opened
from custom_model_runner.target_type import NAMED, TargetType

# What else a folder without an artifact may be.
TRANSFORMS = "; if its transform hook is the whole model, choose --target-type transform"


def load(codedir: CodeDir, declared: Declared) -> Model:
    """Import the user file, run its `init`, load the model, and bind the hooks to it."""
    language = plugins.find(plugins.choose(plugins.LANGUAGES, codedir.language, what="language"))
    code: UserCode = language.load(codedir, calls.HOOKS)
    with ExitStack() as stack:
        stack.callback(code.close)
        return replace(_bind(codedir, code, declared), close=stack.pop_all().close)


def _bind(codedir: CodeDir, code: UserCode, declared: Declared) -> Model:
    # How `transform` is called depends on the target.
    hooks = {name: calls.guard(name, hook) for name, hook in code.hooks.items() if name != "transform"}
    if "init" in hooks:
        hooks["init"](code_dir=str(codedir.path), as_error=LoadError)
    is_unstructured = _is_unstructured(declared, hooks)
    may_transform = "transform" in code.hooks and declared.type is None
    otherwise = TRANSFORMS if may_transform else ""
    opened = _load_model(codedir, hooks, is_needed=needs_artifact(code.hooks, declared), otherwise=otherwise)
    model = opened.model
    is_known_by_hooks = is_unstructured or not {"score", "chat"}.isdisjoint(hooks) or _is_transform(declared)
    known = estimator.recognise(model) if is_known_by_hooks else estimator.require(model)
    hint = Hint(TargetType.UNSTRUCTURED) if is_unstructured else _hint(known, hooks)
    target, notice = settle(declared, hint, needs_name="score" in hooks or "chat" not in hooks)
    if "score" in code.hooks and not is_unstructured:
        calls.check_score(code.hooks["score"], target)
    is_transform = target.type is TargetType.TRANSFORM
    if "transform" in code.hooks:
        guard = calls.guard_convert if is_transform else partial(calls.guard, "transform")
        hooks["transform"] = guard(code.hooks["transform"])
    works_by_hook = is_unstructured or ("transform" if is_transform else "score") in hooks
    # A model that the folder chats with is scored too, if a framework knows how.
    only_chats = "chat" in hooks and (known is None or target.type in NAMED)
    framework, abilities = (None, {}) if works_by_hook or only_chats else estimator.abilities(model, target)
    return Model(
        info=ModelInfo(target, codedir, framework, notice, opened.notice),
        **{**_abilities(hooks, model, target), **abilities},
        traits=traits_of(codedir.metadata, runs_user_code=bool(hooks)),
    )


def _is_unstructured(declared: Declared, hooks: Mapping[str, calls.Hook]) -> bool:
    if declared.type is TargetType.UNSTRUCTURED and {"score_unstructured", "chat"}.isdisjoint(hooks):
        raise LoadError("An unstructured model needs a score_unstructured hook; the user file has none")
    only_unstructured = declared.type is None and "score_unstructured" in hooks and "score" not in hooks
    return declared.type is TargetType.UNSTRUCTURED or only_unstructured


def _is_transform(declared: Declared) -> bool:
    return declared.type is TargetType.TRANSFORM


def needs_artifact(names: Collection[str], declared: Declared) -> bool:
    """Say whether none of the hooks can do all the work."""
    return not (
        {"score", "score_unstructured", "chat"} & set(names) or (_is_transform(declared) and "transform" in names)
    )


def _load_model(codedir: CodeDir, hooks: Mapping[str, calls.Hook], *, is_needed: bool, otherwise: str) -> Opened:
    if "load_model" in hooks:
        model = hooks["load_model"](str(codedir.path), as_error=LoadError)
        if model is None:
            raise LoadError("The load_model hook returned None, expected the loaded model")
        return Opened(model)
    if not is_needed and not codedir.artifacts:
        return Opened(None)
    return opening.load(codedir, otherwise=otherwise)


def _hint(known: Estimator | None, hooks: Mapping[str, calls.Hook]) -> Hint | None:
    """Return what a model reveals about its target; what stands beside a hook that does the work only helps it."""
    if "chat" in hooks and "score" not in hooks:
        return Hint(TargetType.TEXT_GENERATION)
    hint = known.hint() if known else None
    is_helper = hint is not None and hint.type is TargetType.TRANSFORM and "score" in hooks
    return None if is_helper else hint


def _abilities(hooks: Mapping[str, calls.Hook], model: Any, target: Target) -> dict[str, Any]:
    """Return the functions that hooks give to the model record, by field name."""

    def bind(name: str, call: calls.Hook, *facts: Any) -> calls.Hook | None:
        return partial(call, hooks[name], *facts) if name in hooks else None

    abilities = {
        "answer": bind("score_unstructured", calls.answer, model),
        "chat": bind("chat", chats.chat, model),
        "list_models": bind("get_supported_llm_models", chats.models, model) or _known_models(target),
    }
    if target.type is TargetType.UNSTRUCTURED:
        return abilities
    abilities["read"] = bind("read_input_data", calls.read)
    if target.type is TargetType.TRANSFORM:
        return abilities | {"convert": bind("transform", calls.convert, model)}
    return abilities | {
        "transform": bind("transform", calls.transform, model),
        "score": bind("score", calls.score, model, target),
        "post_process": bind("post_process", calls.post_process, model, target),
    }


def _known_models(target: Target) -> Callable[[], list[dict[str, Any]]] | None:
    """Return what lists the models of a folder that does not list them itself."""
    if target.type is not TargetType.TEXT_GENERATION:
        return None
    known = chats.configured_models()
    return lambda: known
