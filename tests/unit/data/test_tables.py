"""Which payload is read as which table."""

from __future__ import annotations

import pytest

from custom_model_runner.data import tables
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, Unsupported


@pytest.mark.parametrize("media_type", ["", "text/csv", "text/plain"])
def test_csv_is_what_is_named_so_or_not_named(media_type: str) -> None:
    assert tables.read(Payload(b"a,b\n1,2\n", media_type)).to_numpy().tolist() == [[1, 2]]


@pytest.mark.parametrize("media_type", ["text/matrix", "application/xml", "application/octet-stream", "junk"])
def test_another_format_is_not_supported(media_type: str) -> None:
    with pytest.raises(Unsupported, match=f"payload format '{media_type}' is not supported; supported: text/csv"):
        tables.read(Payload(b"a,b\n1,2\n", media_type))


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \n", b"\xef\xbb\xbf"])
def test_a_payload_without_a_column_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        tables.read(Payload(data, "text/csv"))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.csv", "text/csv"),
        ("a.CSV", "text/csv"),
        ("-", "text/csv"),
        ("", "text/csv"),
        ("a.txt", "text/csv"),
        ("a.mtx", "text/mtx"),
        ("a.MTX", "text/mtx"),
    ],
)
def test_a_file_name_tells_the_format(name: str, media_type: str) -> None:
    assert tables.media_type_of(name) == media_type
