"""The border around foreign code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from custom_model_runner import border
from custom_model_runner.errors import ContractError, CustomHTTPError, LoadError, UserCodeError


def test_what_foreign_code_returns_comes_back() -> None:
    assert border.call(divmod, 7, 2, failing="it failed:") == (3, 1)


def test_keyword_arguments_reach_foreign_code() -> None:
    assert border.call(sorted, [1, 2], failing="it failed:", reverse=True) == [2, 1]


def test_what_foreign_code_raises_is_named_and_kept_as_the_cause() -> None:
    with pytest.raises(UserCodeError) as caught:
        border.call(int, "seven", failing="The score hook raised. Exception:")
    assert str(caught.value).startswith("The score hook raised. Exception: ValueError(")
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_failure_names_the_last_line_of_the_file_that_was_asked_for() -> None:
    def foreign() -> None:
        int("seven")

    with pytest.raises(UserCodeError, match=rf"'seven'\"\) \(test_border.py:{foreign.__code__.co_firstlineno + 1}\)$"):
        border.call(foreign, failing="it failed:", file=__file__)


def test_the_file_of_a_function_is_that_below_its_decorators() -> None:
    @contextmanager
    def decorated() -> Iterator[None]:
        yield

    assert border.file_of(decorated) == __file__
    assert border.file_of(divmod) is None


def test_sys_exit_in_foreign_code_is_a_failure_like_any_other() -> None:
    with pytest.raises(UserCodeError, match=r"it failed: SystemExit\(3\)"):
        border.call(sys.exit, 3, failing="it failed:")


def test_the_caller_chooses_the_kind_of_failure() -> None:
    with pytest.raises(LoadError):
        border.call(int, "seven", failing="it failed:", as_error=LoadError)


@pytest.mark.parametrize(
    "error", [ContractError("ours"), CustomHTTPError("theirs, on purpose", 418), KeyboardInterrupt()]
)
def test_some_failures_pass_the_border_as_they_are(error: BaseException) -> None:
    def foreign() -> NoReturn:
        raise error

    with pytest.raises(type(error)) as caught:
        border.call(foreign, failing="it failed:")
    assert caught.value is error
