"""Target type and labels: where they come from, and who wins."""

from __future__ import annotations

import pytest

from custom_model_runner.data.target import Declared, Hint, Target, check_labels, merge, settle
from custom_model_runner.errors import UsageError
from custom_model_runner.target_type import TargetType as T

BINARY = Declared(T.BINARY, "yes", "no")


def test_labels_of_a_binary_target_stand_negative_first() -> None:
    target = Target(T.BINARY, ("no", "yes"))
    assert (target.negative_label, target.positive_label) == ("no", "yes")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(kind, kind in {T.BINARY, T.MULTICLASS, T.MULTILABEL}) for kind in T],
)
def test_three_kinds_of_target_are_classification(kind: T, expected: bool) -> None:
    assert Target(kind).is_classification is expected


@pytest.mark.parametrize(
    ("options", "metadata"),
    [(BINARY, Declared()), (Declared(), BINARY), (BINARY, BINARY), (Declared(T.BINARY), Declared(None, "yes", "no"))],
)
def test_what_either_declares_is_declared(options: Declared, metadata: Declared) -> None:
    assert merge(options, metadata) == BINARY


@pytest.mark.parametrize(
    ("options", "metadata", "words"),
    [
        (Declared(T.REGRESSION), Declared(T.BINARY), "target type in the options .'regression'."),
        (BINARY, Declared(T.BINARY, "ja", "no"), "positive class label"),
        (BINARY, Declared(T.BINARY, "yes", "nein"), "negative class label"),
        (Declared(labels=("a", "b")), Declared(labels=("a", "c")), "class labels"),
        (Declared(labels=("a", "b")), Declared(labels=("a", "b", "c")), "class labels"),
    ],
)
def test_a_contradiction_of_options_and_metadata_is_an_error(options: Declared, metadata: Declared, words: str) -> None:
    with pytest.raises(UsageError, match=f"The {words}.*differ"):
        merge(options, metadata)


def test_class_labels_are_compared_as_sets_and_the_option_s_order_is_kept() -> None:
    assert merge(Declared(labels=("b", "a")), Declared(labels=("a", "b"))).labels == ("b", "a")


def test_the_option_s_target_name_wins() -> None:
    assert merge(Declared(name="option"), Declared(name="metadata")).name == "option"


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (Declared(positive="yes"), "go together"),
        (Declared(negative="no"), "go together"),
        (Declared(positive="yes", negative="yes"), "are the same: 'yes'"),
        (Declared(positive="yes", negative="no", labels=("a", "b")), "not both"),
    ],
)
def test_labels_that_contradict_one_another_are_refused(declared: Declared, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_labels(declared)


@pytest.mark.parametrize("declared", [Declared(), BINARY, Declared(labels=("a", "b"))])
def test_labels_that_agree_are_accepted(declared: Declared) -> None:
    check_labels(declared)


@pytest.mark.parametrize("kind", [T.REGRESSION, T.ANOMALY, T.GEO_POINT, T.UNSTRUCTURED])
def test_a_declared_type_needs_no_notice(kind: T) -> None:
    assert settle(Declared(kind), None) == (Target(kind), None)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (BINARY, Target(T.BINARY, ("no", "yes"))),
        (Declared(T.MULTICLASS, labels=("b", "a", "c")), Target(T.MULTICLASS, ("b", "a", "c"))),
        (Declared(T.MULTILABEL, labels=("b", "a")), Target(T.MULTILABEL, ("b", "a"))),
    ],
)
def test_declared_labels_are_the_target_s(declared: Declared, expected: Target) -> None:
    assert settle(declared, None) == (expected, None)


def test_labels_are_dropped_where_they_mean_nothing() -> None:
    assert settle(Declared(T.REGRESSION, labels=("a", "b")), None)[0] == Target(T.REGRESSION)


@pytest.mark.parametrize(
    ("declared", "hint", "expected", "source"),
    [
        (Declared(), None, Target(T.REGRESSION), "regression assumed"),
        (Declared(), Hint(T.REGRESSION), Target(T.REGRESSION), "regression inferred from the model"),
        (Declared(), Hint(T.ANOMALY), Target(T.ANOMALY), "anomaly inferred from the model"),
        (Declared(), Hint(T.BINARY, ("0", "1")), Target(T.BINARY, ("0", "1")), "binary inferred from the model"),
        (
            Declared(),
            Hint(T.MULTICLASS, ("a", "b", "c")),
            Target(T.MULTICLASS, ("a", "b", "c")),
            "multiclass inferred from the model",
        ),
        (Declared(None, "yes", "no"), None, Target(T.BINARY, ("no", "yes")), "binary inferred from the positive"),
        (
            Declared(None, "yes", "no"),
            Hint(T.BINARY, ("n", "y")),
            Target(T.BINARY, ("no", "yes")),
            "binary inferred from the positive",
        ),
        (Declared(labels=("a", "b")), None, Target(T.MULTICLASS, ("a", "b")), "multiclass inferred from the class"),
        (
            Declared(labels=("a", "b")),
            Hint(T.MULTILABEL),
            Target(T.MULTILABEL, ("a", "b")),
            "multilabel inferred from the class",
        ),
    ],
)
def test_a_target_that_is_not_declared_is_inferred_with_a_notice(
    declared: Declared, hint: Hint | None, expected: Target, source: str
) -> None:
    target, notice = settle(declared, hint)
    assert target == expected
    assert notice is not None
    assert source in notice


def test_the_notice_about_an_inferred_binary_target_says_which_label_is_positive() -> None:
    _, notice = settle(Declared(), Hint(T.BINARY, ("bad", "good")))
    assert str(notice).endswith("(positive: good)")


@pytest.mark.parametrize(("kind", "labels"), [(T.BINARY, ("bad", "good")), (T.MULTICLASS, ("a", "b", "c"))])
def test_labels_of_a_declared_type_can_come_from_the_model_with_a_notice(kind: T, labels: tuple[str, ...]) -> None:
    target, notice = settle(Declared(kind), Hint(kind, labels))
    assert target.labels == labels
    assert str(notice).startswith(f"class labels taken from the model: {', '.join(labels)}")


@pytest.mark.parametrize(
    ("declared", "hint", "words"),
    [
        (Declared(T.BINARY), None, "needs two labels.*found 0"),
        (
            Declared(T.BINARY),
            Hint(T.MULTICLASS, ("a", "b", "c")),
            "needs two labels, but the model has 3: choose --target-type multiclass",
        ),
        (Declared(T.MULTICLASS), None, "multiclass target needs its labels.*found 0"),
        (Declared(T.MULTILABEL), None, "multilabel target needs its labels.*found 0"),
    ],
)
def test_a_classification_target_without_labels_is_an_error(declared: Declared, hint: Hint | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        settle(declared, hint)


@pytest.mark.parametrize("kind", [T.TEXT_GENERATION, T.VECTOR_DATABASE, T.AGENTIC_WORKFLOW])
def test_a_text_target_needs_its_name(kind: T) -> None:
    with pytest.raises(UsageError, match="TARGET_NAME"):
        settle(Declared(kind), None)


@pytest.mark.parametrize("kind", [T.TEXT_GENERATION, T.VECTOR_DATABASE, T.AGENTIC_WORKFLOW])
def test_a_text_target_keeps_its_name(kind: T) -> None:
    assert settle(Declared(kind, name="reply"), None) == (Target(kind, (), "reply"), None)
