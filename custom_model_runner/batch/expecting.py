"""Types that a part of an input has told, and the failure of the input that may be theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from custom_model_runner.errors import InputError, RunnerError


class Unexpected(RunnerError):
    """An input of which the first and last rows may not have told the types of all."""

    def __init__(self) -> None:
        super().__init__("the types of the first and last rows may not be those of all: the input begins anew")


@contextmanager
def types(are_expected: bool) -> Iterator[None]:
    """Have a failure of the input, where its types are only expected, be one of these."""
    try:
        yield
    except RunnerError as error:
        if are_expected and error.exit_code == InputError.exit_code:
            raise Unexpected from error
        raise
