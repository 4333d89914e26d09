"""Bytes, and what their sender said they are."""

from __future__ import annotations

import pytest

from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge


@pytest.mark.parametrize(
    ("content_type", "media_type", "charset"),
    [
        (None, "", None),
        ("", "", None),
        ("text/csv", "text/csv", None),
        ("Text/CSV", "text/csv", None),
        ("text/plain; charset=utf8", "text/plain", "utf8"),
        ("text/plain;charset=UTF-8", "text/plain", "UTF-8"),
        ('text/plain; Charset="latin-1"', "text/plain", "latin-1"),
        ("text/plain; header=present; charset=utf8", "text/plain", "utf8"),
        ("text/plain; header=present", "text/plain", None),
        ("text/plain; charset=", "text/plain", None),
        ("junk", "junk", None),
    ],
)
def test_a_content_type_is_a_media_type_and_a_charset_as_it_was_spelt(
    content_type: str | None, media_type: str, charset: str | None
) -> None:
    assert Payload.of(b"x", content_type) == Payload(b"x", media_type, charset)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("", True),
        ("text/plain", True),
        ("text/anything", True),
        ("application/json", True),
        ("application/octet-stream", False),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonl", False),
        ("multipart/form-data", False),
        ("junk", False),
    ],
)
def test_a_body_is_text_by_its_media_type(media_type: str, expected: bool) -> None:
    assert Payload(b"", media_type).is_text is expected


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("café".encode(), None, "café"),
        ("café".encode(), "UTF_8", "café"),
        (b"caf\xe9", "latin-1", "café"),
        ("café".encode("utf-16"), "utf-16", "café"),
        (b"", None, ""),
    ],
)
def test_text_is_decoded_with_its_charset(data: bytes, charset: str | None, text: str) -> None:
    assert Payload(data, "text/plain", charset).text() == text


def test_bytes_that_are_not_in_the_charset_are_an_input_error_that_does_not_show_them() -> None:
    with pytest.raises(InputError, match="is not valid utf-8 text") as caught:
        Payload(b"MARKER caf\xe9", "text/plain", "utf8").text()
    assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("charset", ["klingon", "base64", "hex", "utf8\0", "*" * 1000])
def test_an_unknown_charset_is_an_input_error(charset: str) -> None:
    with pytest.raises(InputError, match="is unknown"):
        Payload(b"x", "text/plain", charset).text()


def test_a_table_may_have_as_many_columns_as_the_limit_has_kilobytes() -> None:
    Payload(b"", limit=10_240).check_shape(0, 10)
    with pytest.raises(PayloadTooLarge, match="has 11 columns, expected at most 10 under the limit of 10240 bytes"):
        Payload(b"", limit=10_240).check_shape(0, 11)


def test_a_table_may_have_as_many_cells_as_the_body_has_bytes_and_beyond_that_what_the_limit_has_room_for() -> None:
    Payload(bytes(2000), limit=8000).check_shape(1000, 2)
    Payload(b"", limit=8000).check_shape(500, 2)
    with pytest.raises(PayloadTooLarge, match=r"a table of more than 8000 bytes \(--max-decoded-bytes\)"):
        Payload(bytes(1000), limit=8000).check_shape(501, 2)


def test_a_table_may_take_what_the_body_has_or_the_limit_whichever_is_more() -> None:
    Payload(bytes(10), limit=8).check_size(10)
    Payload(bytes(8), limit=10).check_size(10)
    with pytest.raises(PayloadTooLarge):
        Payload(bytes(10), limit=8).check_size(11)
