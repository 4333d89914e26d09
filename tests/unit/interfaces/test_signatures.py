"""Whether a hook can be called the way it will be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from custom_model_runner.errors import LoadError
from custom_model_runner.interfaces import signatures

KEYWORDS = ("mimetype", "query")


def built(parameters: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(f"def hook({parameters}): pass", names)
    hook: Callable[..., Any] = names["hook"]
    return hook


class Callback:
    """A hook that is an object."""

    def __call__(self, data: object, model: object, *, query: str) -> None:
        """Take what a hook takes."""


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("data, model", set()),
        ("a, b", set()),
        ("data, model, **kwargs", {"mimetype", "query"}),
        ("data, model, query", {"query"}),
        ("data, model, query=None", {"query"}),
        ("data, model, *, query, mimetype=''", {"mimetype", "query"}),
        ("data, model, query, **rest", {"mimetype", "query"}),
        ("data, model, other=5", set()),
        ("data, model, *, other=5", set()),
        ("data, model, /, query", {"query"}),
        ("*args", set()),
        ("data, *args", set()),
        ("*args, **kwargs", {"mimetype", "query"}),
        ("data, model=None", set()),
    ],
)
def test_a_hook_gets_the_keywords_that_it_takes(parameters: str, expected: set[str]) -> None:
    assert signatures.accepted("score", built(parameters), 2, KEYWORDS) == expected


@pytest.mark.parametrize(
    "parameters",
    ["", "data", "data, *, model", "data, model, other", "data, model, *, other", "data, **kwargs", "**kwargs"],
)
def test_a_hook_that_cannot_be_called_is_a_load_error_that_shows_its_signature(parameters: str) -> None:
    with pytest.raises(LoadError) as caught:
        signatures.accepted("score", built(parameters), 2, KEYWORDS)
    assert str(caught.value) == (
        f"The score hook has the signature score({parameters}), "
        "expected 2 positional argument(s) and then keywords among: mimetype, query"
    )


@pytest.mark.parametrize(("parameters", "expected"), [("code_dir", {"code_dir"}), ("", set()), ("**kw", {"code_dir"})])
def test_a_hook_without_positional_arguments_is_checked_too(parameters: str, expected: set[str]) -> None:
    assert signatures.accepted("init", built(parameters), 0, ("code_dir",)) == expected


def test_a_hook_that_nobody_would_await_is_a_load_error() -> None:
    async def hook(data: object, model: object) -> None:
        """Take what a hook takes."""

    with pytest.raises(LoadError, match="The score hook is declared with async def, expected an ordinary function"):
        signatures.accepted("score", hook, 2, KEYWORDS)


def test_an_object_can_be_a_hook() -> None:
    assert signatures.accepted("score", Callback(), 2, KEYWORDS) == {"query"}


def test_a_function_that_does_not_tell_its_signature_is_called_with_everything() -> None:
    assert signatures.accepted("score", dict, 2, KEYWORDS) == {"mimetype", "query"}


@pytest.mark.parametrize(("names", "expected"), [({"a"}, {"a": 1}), (set(), {}), ({"a", "b", "c"}, {"a": 1, "b": 2})])
def test_other_keywords_are_kept_back(names: set[str], expected: Mapping[str, int]) -> None:
    assert signatures.keep({"a": 1, "b": 2}, frozenset(names)) == expected
