"""What the predictions mean: the target's type, its labels in order, and its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from custom_model_runner.errors import UsageError
from custom_model_runner.target_type import CLASSIFICATION, NAMED, TargetType

DEFAULT_COLUMN = "Predictions"


@dataclass(frozen=True)
class Target:
    """A settled target; labels of a binary one stand as (negative, positive)."""

    type: TargetType
    labels: tuple[str, ...] = ()
    name: str | None = None

    @property
    def is_classification(self) -> bool:
        """Say whether predictions are probabilities of labels."""
        return self.type in CLASSIFICATION

    @property
    def negative_label(self) -> str:
        """The negative label of a binary target."""
        return self.labels[0]

    @property
    def positive_label(self) -> str:
        """The positive label of a binary target."""
        return self.labels[1]


@dataclass(frozen=True)
class Declared:
    """What is known about the target before the model is loaded; each fact may be missing."""

    type: TargetType | None = None
    positive: str | None = None
    negative: str | None = None
    labels: tuple[str, ...] | None = None
    name: str | None = None


@dataclass(frozen=True)
class Hint:
    """What a loaded model reveals about its target."""

    type: TargetType
    labels: tuple[str, ...] = ()


def merge(options: Declared, metadata: Declared) -> Declared:
    """Join what options and metadata declare; the option's spelling and order win, a contradiction is an error."""
    _agree("target type", options.type, metadata.type)
    for words, one, other in (
        ("positive class label", options.positive, metadata.positive),
        ("negative class label", options.negative, metadata.negative),
    ):
        _agree(words, one, other)
    _agree("class labels", _as_set(options.labels), _as_set(metadata.labels))
    return Declared(
        options.type or metadata.type,
        options.positive or metadata.positive,
        options.negative or metadata.negative,
        options.labels or metadata.labels,
        options.name or metadata.name,
    )


def _agree(words: str, option: object, metadata: object) -> None:
    if option is not None and metadata is not None and option != metadata:
        raise UsageError(
            f"The {words} in the options ({_show(option)}) and in model-metadata.yaml ({_show(metadata)}) differ"
        )


def _show(value: object) -> str:
    return str(sorted(value)) if isinstance(value, frozenset) else repr(str(value))


def _as_set(labels: Sequence[str] | None) -> frozenset[str] | None:
    return None if labels is None else frozenset(labels)


def check_labels(declared: Declared) -> None:
    """Refuse labels that contradict one another."""
    if (declared.positive is None) != (declared.negative is None):
        raise UsageError("--positive-class-label and --negative-class-label go together; found only one of them")
    if declared.positive is not None and declared.positive == declared.negative:
        raise UsageError(f"The positive and the negative class label are the same: {declared.positive!r}")
    if declared.type is TargetType.BINARY and declared.labels is not None and declared.positive is None:
        raise UsageError("A binary target is given by --positive-class-label and --negative-class-label")
    if declared.positive is not None and declared.labels is not None:
        raise UsageError("Give either a positive and a negative class label, or class labels, not both")


def settle(declared: Declared, hint: Hint | None, *, needs_name: bool = True) -> tuple[Target, str | None]:
    """Return the target, and a notice when its type was inferred from labels or from the model.

    Where nothing is scored, no type needs a name.
    """
    kind, notice = _settle_type(declared, hint)
    labels = _settle_labels(kind, declared, hint)
    if kind in NAMED and needs_name and not declared.name:
        raise UsageError(
            f"The target type '{kind}' needs the name of its target: set the variable TARGET_NAME, "
            "or inferenceModel.targetName in model-metadata.yaml"
        )
    if declared.type in CLASSIFICATION and not _labels_of(kind, declared):
        notice = f"class labels taken from the model: {', '.join(labels)}"
    if notice and kind is TargetType.BINARY:
        notice += f" (positive: {labels[1]})"
    return Target(kind, labels, declared.name), notice


def _settle_type(declared: Declared, hint: Hint | None) -> tuple[TargetType, str | None]:
    if declared.type is not None:
        return declared.type, None
    if declared.positive is not None:
        kind, source = TargetType.BINARY, "the positive and negative class labels"
    elif declared.labels is not None:
        is_multilabel = hint is not None and hint.type is TargetType.MULTILABEL
        kind, source = TargetType.MULTILABEL if is_multilabel else TargetType.MULTICLASS, "the class labels"
    elif hint is not None:
        kind, source = hint.type, "the model"
    else:
        return TargetType.REGRESSION, "no target type given: regression assumed"
    return kind, f"no target type given: {kind} inferred from {source}"


def _labels_of(kind: TargetType, declared: Declared) -> tuple[str, ...]:
    """Return the labels that were declared for a target of this type."""
    if kind is TargetType.BINARY:
        both = (declared.negative, declared.positive)
        return tuple(label for label in both if label is not None)
    return (declared.labels or ()) if kind in CLASSIFICATION else ()


def _settle_labels(kind: TargetType, declared: Declared, hint: Hint | None) -> tuple[str, ...]:
    if kind not in CLASSIFICATION:
        return ()
    labels = _labels_of(kind, declared) or (hint.labels if hint else ())
    if kind is TargetType.BINARY and len(labels) > 2:
        raise UsageError(
            f"A binary target needs two labels, but the model has {len(labels)}: choose --target-type multiclass"
        )
    if kind is TargetType.BINARY and len(labels) != 2:
        raise UsageError(
            "A binary target needs two labels: give --positive-class-label and --negative-class-label, "
            f"or inferenceModel in model-metadata.yaml; found {len(labels)}"
        )
    if len(labels) < 2:
        raise UsageError(
            f"A {kind} target needs its labels: give --class-labels or --class-labels-file, "
            f"or inferenceModel.classLabels in model-metadata.yaml; found {len(labels)}"
        )
    return labels
