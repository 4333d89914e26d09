"""Which payload is read as which table."""

from __future__ import annotations

import bz2
import lzma

import pandas as pd
import pytest

from custom_model_runner import plugins
from custom_model_runner.data import compression, tables
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


@pytest.mark.parametrize("media_type", tables.readable())
@pytest.mark.parametrize(("encoding", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_compressed_data_that_nobody_calls_so_is_told(media_type: str, encoding: str, suffix: str) -> None:
    data = compression.encoded(b"a,b\n1,2\n" * 10, encoding)
    with pytest.raises(
        InputError, match=rf"looks like {encoding} data: .*Content-Encoding: {encoding}', .* in {suffix}$"
    ):
        tables.read(Payload(data, media_type))


def test_data_that_is_what_it_is_called_is_told_to_be_broken() -> None:
    with pytest.raises(InputError, match=r"^The Parquet input is broken or cut short$"):
        tables.read(Payload(b"PAR1\xff\n", "application/vnd.apache.parquet"))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16 text, expected UTF-8"),
        (bz2.compress(b"a,b\n1,2\n"), "bzip2 data, which is not read; expected gzip or zstd"),
        (lzma.compress(b"a,b\n1,2\n"), "xz data"),
        (b"PK\x03\x04\xff\n", "a ZIP archive or an Excel workbook"),
        (b"PAR1\xff\n", "Parquet: "),
    ],
)
def test_data_that_is_something_else_is_told_by_its_beginning(data: bytes, what: str) -> None:
    with pytest.raises(InputError, match=rf"^The input, read as csv, looks like {what}"):
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


@pytest.mark.parametrize(
    ("name", "content_type", "media_type"),
    [
        ("a.json", "", "application/json"),
        ("a.JSON", "text/csv", "application/json"),
        ("a.arrow", "", "application/vnd.apache.arrow.file"),
        ("a.arrows", "", "application/vnd.apache.arrow.stream"),
        ("a.csv", "application/json", "text/csv"),
        ("a.txt", "application/json", "application/json"),
        ("", "application/x-parquet", "application/x-parquet"),
        ("X", "application/octet-stream", "text/csv"),
        ("a.json.old", "", "text/csv"),
        ("json", "", "text/csv"),
    ],
)
def test_the_suffix_counts_before_the_content_type_and_csv_is_the_rest(
    name: str, content_type: str, media_type: str
) -> None:
    assert tables.media_type_of(name, content_type) == media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.ndjson", "application/x-ndjson"),
        ("a.PQ", "application/vnd.apache.parquet"),
        ("a.mtx", "text/csv"),
        ("", "text/csv"),
    ],
)
def test_what_cannot_be_written_is_written_as_csv(name: str, media_type: str) -> None:
    assert tables.written_type_of(name) == media_type


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/x-ndjson", "application/vnd.apache.arrow.file"]
)
def test_a_table_of_any_format_without_columns_is_an_input_error(media_type: str) -> None:
    nothing = tables.write(pd.DataFrame(index=[0, 1]), media_type)
    with pytest.raises(InputError, match="The input has no columns; it was read as "):
        tables.read(Payload(nothing, media_type))


def test_every_suffix_stands_for_a_media_type_that_is_read() -> None:
    for line in plugins.FORMATS.values():
        assert set(line.suffixes.values()) <= set(line.reads)


def test_no_media_type_and_no_suffix_belongs_to_two_formats() -> None:
    names = [name for line in plugins.FORMATS.values() for name in (*line.reads, *line.suffixes)]
    assert len(names) == len(set(names))
