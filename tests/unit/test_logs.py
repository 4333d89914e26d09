"""What is said on standard error."""

from __future__ import annotations

import logging

import pytest

from custom_model_runner import logs
from custom_model_runner.errors import CustomHTTPError, UserCodeError


def test_a_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.failure(UserCodeError("two\n  lines,\tspaced"), show_stacktrace=False)
    assert capsys.readouterr().err == "drum: error: two lines, spaced\n"


def test_a_failure_nobody_foresaw_is_one_line_that_names_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    logs.failure(ZeroDivisionError("first\nsecond"), show_stacktrace=False)
    assert capsys.readouterr().err == "drum: error: ZeroDivisionError: first\n"


def test_a_failure_that_user_code_raised_on_purpose_is_told_in_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.failure(CustomHTTPError("no such ship", 404), show_stacktrace=False)
    assert capsys.readouterr().err == "drum: error: no such ship\n"


def test_a_traceback_comes_before_the_line_when_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.failure(UserCodeError("what happened"), show_stacktrace=True)
    told = capsys.readouterr().err
    assert "UserCodeError: what happened\n" in told
    assert told.endswith("\ndrum: error: what happened\n")


def test_a_notice_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.notice("regression assumed")
    assert capsys.readouterr() == ("", "drum: regression assumed\n")


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("all", ["debug", "info", "warning", "error", "critical"]),
        ("debug", ["debug", "info", "warning", "error", "critical"]),
        ("info", ["info", "warning", "error", "critical"]),
        ("warn", ["warning", "error", "critical"]),
        ("warning", ["warning", "error", "critical"]),
        ("error", ["error", "critical"]),
        ("critical", ["critical"]),
        ("fatal", ["critical"]),
    ],
)
def test_a_level_hides_what_is_below_it(level: str, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level)
    for name in ("debug", "info", "warning", "error", "critical"):
        logging.getLogger("drum.test").log(logging.getLevelName(name.upper()), "%s", name)
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == told


def test_configuring_twice_does_not_log_twice(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    logs.configure("warning")
    logging.getLogger("drum.test").warning("once")
    assert capsys.readouterr().err.count("once") == 1


def test_a_log_line_of_a_request_ends_with_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    logging.getLogger("drum.test").warning("answered", extra={"request_id": "abc"})
    assert capsys.readouterr().err.endswith("WARNING drum.test: answered {'request_id': 'abc'}\n")
