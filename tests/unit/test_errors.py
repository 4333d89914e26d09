"""Exit codes and statuses, as the README and the API file promise them."""

from __future__ import annotations

import pytest

from custom_model_runner import errors


@pytest.mark.parametrize(
    ("kind", "exit_code", "status"),
    [
        (errors.RunnerError, 1, 500),
        (errors.UsageError, 2, 500),
        (errors.SchemaError, 3, 422),
        (errors.LoadError, 4, 513),
        (errors.UserCodeError, 5, 500),
        (errors.ContractError, 5, 500),
        (errors.InputError, 6, 422),
        (errors.MalformedRequest, 6, 400),
        (errors.PayloadTooLarge, 6, 413),
        (errors.UnusableValues, 6, 422),
        (errors.Unsupported, 6, 422),
        (errors.BaseCustomUserError, 5, 500),
    ],
)
def test_each_failure_has_its_exit_code_and_status(kind: type[errors.RunnerError], exit_code: int, status: int) -> None:
    error = kind("what happened")
    assert (error.exit_code, error.status) == (exit_code, status)


def test_a_row_is_told_by_its_number_counted_from_1_in_the_whole_input() -> None:
    error = errors.ContractError("row ", 4, " of 7 is wrong")
    assert (str(error), error.told(10)) == ("row 5 of 7 is wrong", "row 15 of 7 is wrong")


def test_a_user_chooses_the_status_of_an_http_error() -> None:
    error = errors.CustomHTTPError("no such ship", 404)
    assert (str(error), error.message, error.status_code, error.status) == ("no such ship", "no such ship", 404, 404)


def test_a_user_s_http_error_is_400_when_nothing_is_said() -> None:
    assert errors.CustomHTTPError("no such ship").status == 400


@pytest.mark.parametrize(("message", "text"), [(None, "None"), (7, "7"), ({"a": 1}, "{'a': 1}"), (b"x", "b'x'")])
def test_a_user_s_message_that_is_no_text_becomes_text(message: object, text: str) -> None:
    assert str(errors.CustomHTTPError(message)) == text


def test_a_user_s_error_that_sets_its_own_message_shows_it() -> None:
    class Busy(errors.CustomHTTPError):
        def __init__(self, ship: str) -> None:
            self.message = f"{ship} is busy"

    assert str(Busy("Argo")) == "Argo is busy"


def test_user_code_that_catches_every_exception_does_not_catch_a_termination() -> None:
    assert not issubclass(errors.Terminated, Exception)
