"""A loaded model: a frozen record of functions, in which an ability the folder lacks is None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from custom_model_runner import alias, plugins, schema
from custom_model_runner.codedir import CodeDir
from custom_model_runner.data.chat import Chat
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.target import Declared, Target, check_labels, merge
from custom_model_runner.errors import BaseCustomUserError, LoadError, UsageError
from custom_model_runner.metadata import Metadata
from custom_model_runner.settings import ModelSettings
from custom_model_runner.target_type import TargetType

if TYPE_CHECKING:
    import pandas as pd

    from custom_model_runner.data.predictions import Bare, Scores
    from custom_model_runner.data.transformed import Convert


@dataclass(frozen=True)
class Traits:
    """What may be done with a model: called by several threads at once, shared by forked processes."""

    is_thread_safe: bool = False
    is_fork_safe: bool = False


def traits_of(metadata: Metadata, *, runs_user_code: bool) -> Traits:
    """Return what the author allows; where the metadata is silent, user code may do nothing of it."""
    is_thread_safe, is_fork_safe = metadata.is_thread_safe, metadata.is_fork_safe
    return Traits(
        not runs_user_code if is_thread_safe is None else is_thread_safe,
        not runs_user_code if is_fork_safe is None else is_fork_safe,
    )


@dataclass(frozen=True)
class ModelInfo:
    """Facts about a loaded model; `framework` is None where user code scores.

    `notice` tells what was inferred, `version_notice` that it was made with other versions than those here.
    """

    target: Target
    codedir: CodeDir
    framework: str | None
    notice: str | None = None
    version_notice: str | None = None


@dataclass(frozen=True)
class Context:
    """What a score hook may ask about one call; `charset` is None in batch."""

    data: bytes
    media_type: str
    charset: str | None = None
    sparse_colnames: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Question:
    """What an unstructured hook may ask about one call; no headers in batch, no `mlops` where nothing is reported."""

    query: Mapping[str, str]
    headers: Mapping[str, str] | None = None
    mlops: object | None = None


@dataclass(frozen=True)
class Model:
    """The functions a folder offers. What `read` and `transform` return is the user's affair.

    `transform` prepares a table for `score`; `convert` is what a transform model does instead of scoring, told the
    target where that came along. `check_columns` refuses a table without those that `score` needs, if known.
    `prove_bare` calls the model, and returns what scores without a table if that was seen to make no difference.
    `text_columns` are read as text, whatever it looks like; `check_in` and `check_out` return the table to go on with.
    """

    info: ModelInfo
    read: Callable[[bytes], Any] | None = None
    transform: Callable[[Any], Any] | None = None
    score: Callable[[Any, Context], Scores] | None = None
    check_columns: Callable[[pd.DataFrame], None] | None = None
    prove_bare: Callable[[], Bare | None] | None = None
    convert: Convert | None = None
    post_process: Callable[[pd.DataFrame], Scores] | None = None
    answer: Callable[[Payload, Question], Reply] | None = None
    chat: Chat | None = None
    list_models: Callable[[], list[dict[str, Any]]] | None = None
    text_columns: frozenset[str] = frozenset()
    check_in: schema.Check | None = None
    check_out: schema.Check | None = None
    traits: Traits = Traits()
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class UserCode:
    """What a language gives: the hooks that the user's file defines, by name."""

    hooks: Mapping[str, Callable[..., Any]]
    close: Callable[[], None] = lambda: None


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


def load(codedir: CodeDir, options: Declared, *, is_strict: bool = True) -> Model:
    """Load the folder through its interface; whatever goes wrong is a load or a usage error.

    Unless it is strict, tables that break the declared schema are only logged.
    """
    declared = merge(options, codedir.metadata.declared)
    check_labels(declared)
    interface = plugins.find(plugins.choose(plugins.INTERFACES, codedir.interface, what="interface"))
    with ExitStack() as stack:
        stack.callback(alias.install())
        try:
            model: Model = interface.load(codedir, declared)
        except BaseCustomUserError as error:
            raise LoadError(f"The folder's own code refuses to load: {error}") from error
        stack.callback(model.close)
        kind = model.info.target.type
        return replace(
            model,
            text_columns=schema.text_columns(codedir.metadata, kind),
            check_in=schema.check_in(codedir.metadata, kind, is_strict=is_strict),
            check_out=schema.check_out(codedir.metadata, is_strict=is_strict),
            close=stack.pop_all().close,
        )
