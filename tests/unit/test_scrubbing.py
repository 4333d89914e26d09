"""Secrets stay out of streams, log records and messages, however they are written."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_model_runner.scrubbing import ScrubbedBytes, install, scrubber, words

SECRET = "swordfish"


def scrub(text: str, *secrets: str) -> str:
    return scrubber(words(secrets))(text)


def written(*parts: bytes, hidden: tuple[str, ...] = (SECRET,)) -> bytes:
    """Return what has left a stream before its end."""
    beneath = io.BytesIO()
    stream = ScrubbedBytes(beneath, [word.encode() for word in words(hidden)])
    for part in parts:
        assert stream.write(part) == len(part)
        stream.flush()
    return beneath.getvalue()


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert scrub(f"{SECRET}: it is {SECRET}{SECRET}.", SECRET) == "*****: it is **********."


def test_the_longer_of_two_secrets_is_masked_as_a_whole() -> None:
    assert scrub("swordfish-2 swordfish", SECRET, "swordfish-2") == "***** *****"


@pytest.mark.parametrize("secret", ["", "abcde", "  abc  "])
def test_a_short_text_is_not_looked_for(secret: str) -> None:
    assert words([secret]) == ()


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        quote,
        lambda text: quote(text, safe=""),
        lambda text: " ".join(text.split()),
    ],
)
@pytest.mark.parametrize("secret", ["p\"ss'w\\rd é", "a/b+c==  &d"])
def test_a_secret_is_found_in_every_spelling(secret: str, show: object) -> None:
    assert callable(show)
    shown = show(secret)
    assert scrub(f"<{shown}>", secret).strip("<>\"'") == "*****"


def test_each_line_of_a_key_is_a_secret() -> None:
    key = "-----BEGIN-----\nMIIEvQ\nabc\n"
    assert words([key]) == ("-----BEGIN-----", "MIIEvQ")
    assert scrub(json.dumps(key), key) == '"*****\\n*****\\nabc\\n"'


@pytest.mark.parametrize("parts", [[b"it is sword", b"fish\n"], [bytes([byte]) for byte in b"it is swordfish\n"]])
def test_a_secret_in_several_writes_is_masked(parts: list[bytes]) -> None:
    assert written(*parts) == b"it is *****\n"


def test_what_only_began_like_a_secret_comes_out() -> None:
    assert written(b"a sword", b"\n") == b"a sword\n"


def test_what_cannot_become_a_secret_is_not_held_back() -> None:
    assert written(b"ready> ") == b"ready> "


def test_a_secret_that_another_begins_with_waits_for_the_rest() -> None:
    hidden = (SECRET, "swordfish-2")
    assert [written(b"swordfish", part, hidden=hidden) for part in (b"-2", b"!")] == [b"*****", b"*****!"]


def test_what_is_held_back_comes_out_at_the_end_and_scrubbed() -> None:
    beneath = io.BytesIO()
    stream = ScrubbedBytes(beneath, [b"swordfish-2", b"swordfish"])
    for part in (b"sword", b"fish"):
        stream.write(part)
    stream.release()
    assert beneath.getvalue() == b"*****"


@given(
    st.lists(st.sampled_from(["abcabc", "abcabd", "cabcab"]), min_size=1, max_size=3),
    st.lists(st.text("abcd\n", max_size=9), max_size=9),
)
def test_parts_are_scrubbed_like_the_whole(secrets: list[str], parts: list[str]) -> None:
    hidden = [word.encode() for word in words(secrets)]
    beneath = io.BytesIO()
    stream = ScrubbedBytes(beneath, hidden)
    for part in parts:
        stream.write(part.encode())
    stream.release()
    assert beneath.getvalue().decode() == scrub("".join(parts), *secrets)


@contextmanager
def guarded() -> Iterator[None]:
    """Keep secrets out of what this process says, and look that everything is put back."""
    streams, make = (sys.stdout, sys.stderr), logging.getLogRecordFactory()
    remove = install([SECRET, "sörgfalt"])
    try:
        yield
    finally:
        remove()
    assert (sys.stdout, sys.stderr) == streams
    assert logging.getLogRecordFactory() is make


def test_prints_and_bytes_are_scrubbed(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded():
        print("it is", SECRET, flush=True)
        sys.stdout.buffer.write(b"it is swordfish again, s\xc3\xb6rgfalt\n")
        sys.stderr.write(f"{SECRET}\n")
        print("it is sword", end="")
    assert capsys.readouterr() == ("it is *****\nit is ***** again, *****\nit is sword", "*****\n")


def test_a_log_record_is_scrubbed_whoever_handles_it(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("a.user")
    with guarded():
        try:
            raise ValueError(SECRET)
        except ValueError:
            logger.exception("a %s is %s", "fish", SECRET)
        logger.error("%d fish", 3)
    first, second = caplog.records
    lines = logging.Formatter("%(message)s").format(first).splitlines()
    assert (lines[0], lines[-1]) == ("a fish is *****", "ValueError: *****")
    assert (second.msg, second.args) == ("%d fish", (3,))


def test_a_log_record_that_cannot_be_formatted_is_left_to_logging() -> None:
    with guarded():
        record = logging.getLogRecordFactory()("a", logging.ERROR, "f", 1, "%d", ("x",), None)
    assert (record.msg, record.args) == ("%d", ("x",))


class _Slow(io.BytesIO):
    """A stream whose first writer waits."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reached, self.goes_on = threading.Event(), threading.Event()

    def write(self, data: Any, /) -> int:
        if not self.is_reached.is_set():
            self.is_reached.set()
            assert self.goes_on.wait(60)
        return super().write(data)


def test_a_forked_process_does_not_wait_for_a_thread_that_it_does_not_have() -> None:
    beneath = _Slow()
    stream = ScrubbedBytes(beneath, [SECRET.encode()])
    writer = threading.Thread(target=stream.write, args=(b"parent\n",))
    writer.start()
    assert beneath.is_reached.wait(60)
    stream.renew_lock()
    stream.write(b"child\n")
    assert beneath.getvalue() == b"child\n"
    beneath.goes_on.set()
    writer.join()


def test_without_secrets_nothing_is_touched() -> None:
    stream = sys.stdout
    remove = install(["short"])
    assert sys.stdout is stream
    remove()


def test_a_stream_without_bytes_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    remove = install([SECRET])
    assert sys.stdout is stream
    remove()


def test_a_stream_that_is_closed_does_not_disturb_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    beneath = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(beneath))
    remove = install([SECRET])
    print("sword", end="", flush=True)
    beneath.close()
    remove()
