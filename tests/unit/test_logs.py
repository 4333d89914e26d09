"""What is said on standard error."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


@pytest.fixture
def of_a_request() -> Iterator[None]:
    """A request is served in this thread."""
    token = logs.CONTEXT.set(lambda: {"request_id": "abc"})
    yield
    logs.CONTEXT.reset(token)


@pytest.fixture
def root_as_it_was() -> Iterator[None]:
    """What is done to the root logger is undone."""
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before
    logs.configure("warning")


@pytest.mark.usefixtures("of_a_request")
def test_a_log_line_of_a_request_ends_with_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    logging.getLogger("drum.test").warning("answered")
    assert capsys.readouterr().err.endswith("WARNING drum.test: answered {'request_id': 'abc'}\n")


def test_the_threads_of_other_requests_say_nothing_of_this_one(
    of_a_request: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("warning")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(logging.getLogger("drum.test").warning, "elsewhere").result()
    assert capsys.readouterr().err.endswith("WARNING drum.test: elsewhere\n")


@pytest.mark.usefixtures("of_a_request", "root_as_it_was")
def test_in_json_a_line_is_an_object_with_time_level_logger_and_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("warning", "json")
    logging.getLogger("drum.test").warning("%s €\n%s", 1, 2, extra={logs.FIELDS: {"status": 200}})
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    assert told == {
        "level": "warning", "logger": "drum.test", "message": "1 €\n2", "request_id": "abc", "status": 200
    }  # fmt: skip


@pytest.mark.usefixtures("root_as_it_was")
def test_in_json_a_traceback_is_part_of_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json")
    try:
        raise ValueError("the reason")
    except ValueError as error:
        logging.getLogger("drum.test").error("failed", exc_info=error)
        logs.failure(error, show_stacktrace=True)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert "ValueError: the reason" in first["exception"]
    assert (second["message"], second["level"]) == ("ValueError: the reason", "error")
    assert second["exception"] == first["exception"]


@pytest.mark.usefixtures("root_as_it_was")
def test_in_json_notices_failures_and_what_others_log_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json")
    logs.notice("served", "twice")
    logs.failure(UserCodeError("no\nluck"), show_stacktrace=False)
    logging.getLogger("somebody.else").warning("beware")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("info", "drum", "served"),
        ("info", "drum", "twice"),
        ("error", "drum", "no luck"),
        ("warning", "somebody.else", "beware"),
    ]
