"""gzip and zstd: what decodes, what does not, and that nothing is held beyond the limit."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_model_runner.data import compression
from custom_model_runner.errors import MalformedRequest, PayloadTooLarge, UnknownEncoding
from custom_model_runner.heap import LARGE

LIMIT = 1 << 20
ENCODINGS = sorted(compression.ENCODINGS)
# What is not compressible is as long as its encoded form, so that it can be cut anywhere.
NOISE = random.Random(1).randbytes(300_000)


def decode(data: bytes, *encodings: str, limit: int = LIMIT) -> bytes:
    return compression.read_all(compression.decoded(io.BytesIO(data), encodings, limit))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.sampled_from(ENCODINGS))
def test_members_that_follow_each_other_decode_to_all_their_data(parts: list[bytes], encoding: str) -> None:
    data = b"".join(compression.encoded(part, encoding) for part in parts)
    assert decode(data, encoding) == b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, LARGE - 1, LARGE, LARGE + 1])
@pytest.mark.parametrize("expected", [0, LARGE, LARGE + 1])
def test_what_is_read_is_all_there_was_whatever_was_expected(size: int, expected: int) -> None:
    data = b"data"[: min(size, 4)] + b"\xff" * max(size - 4, 0)
    assert compression.read_all(io.BytesIO(data), expected=expected) == data


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_empty_members_are_no_end(encoding: str) -> None:
    empty, full = compression.encoded(b"", encoding), compression.encoded(b"full", encoding)
    assert decode(empty * 1000 + full + empty, encoding) == b"full"


def test_a_gzip_file_with_a_name_and_a_time_decodes() -> None:
    file = io.BytesIO()
    with gzip.GzipFile("name.csv", "wb", fileobj=file, mtime=1_700_000_000) as writer:
        writer.write(b"data")
    assert decode(file.getvalue(), "gzip") == b"data"


def test_a_skippable_frame_of_zstd_is_skipped() -> None:
    skippable = bytes.fromhex("502a4d18") + (4).to_bytes(4, "little") + b"skip"
    assert decode(skippable + compression.encoded(b"data", "zstd"), "zstd") == b"data"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kept", [1, 4, 10, 1000, 200_000, -5, -1])
def test_data_cut_short_is_an_error(encoding: str, kept: int) -> None:
    with pytest.raises(MalformedRequest, match=f"The {encoding} data is broken: it is cut short"):
        decode(compression.encoded(NOISE, encoding)[:kept], encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("tail", [b"x", b"x,y\n1,2\n", b"\0" * 20, b"x" * 1000])
def test_data_followed_by_something_else_is_an_error(encoding: str, tail: bytes) -> None:
    with pytest.raises(MalformedRequest, match="followed by other data"):
        decode(compression.encoded(b"data", encoding) + tail, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("data", [b"x,y\n1,2\n", b"\0", b"PK\3\4" + bytes(100)])
def test_data_that_is_not_encoded_is_an_error(encoding: str, data: bytes) -> None:
    with pytest.raises(MalformedRequest, match=f"or no {encoding}"):
        decode(data, encoding)


def test_gzip_data_changed_on_its_way_is_an_error() -> None:
    encoded = bytearray(compression.encoded(NOISE, "gzip"))
    encoded[len(encoded) // 2] ^= 255
    with pytest.raises(MalformedRequest):
        decode(bytes(encoded), "gzip")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_limit_counts_decoded_bytes_over_all_members(encoding: str) -> None:
    member = compression.encoded(bytes(1000), encoding)
    assert len(decode(member * 10, encoding, limit=10_000)) == 10_000
    with pytest.raises(PayloadTooLarge, match=r"more than the limit of 9999 bytes \(--max-decoded-bytes\)"):
        decode(member * 10, encoding, limit=9999)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_decodes_to_far_more_than_the_limit_takes_no_more_memory(encoding: str) -> None:
    bomb = compression.encoded(bytes(200 * LIMIT), encoding)
    held = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    with pytest.raises(PayloadTooLarge):
        decode(bomb, encoding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * LIMIT
    assert pyarrow.total_allocated_bytes() - held < LIMIT


def test_every_layer_is_under_the_limit() -> None:
    """Empty frames decode to nothing, and could keep a processor busy for ever."""
    inner = compression.encoded(b"", "zstd") * LIMIT
    with pytest.raises(PayloadTooLarge, match="The gzip data"):
        decode(compression.encoded(inner, "gzip"), "zstd", "gzip")


def test_a_window_that_would_take_too_much_memory_is_an_error() -> None:
    def frame(exponent: int) -> bytes:
        raw_last_block = (1 | len(b"hello") << 3).to_bytes(3, "little")
        return bytes.fromhex("28b52ffd") + bytes([0, exponent - 10 << 3]) + raw_last_block + b"hello"

    assert decode(frame(27), "zstd") == b"hello"
    for exponent in (28, 31, 41):
        with pytest.raises(MalformedRequest):
            decode(frame(exponent), "zstd")


def test_layers_are_undone_from_the_last_to_the_first() -> None:
    data = compression.encoded(compression.encoded(b"data", "gzip"), "zstd")
    assert decode(data, "gzip", "zstd") == b"data"
    with pytest.raises(MalformedRequest):
        decode(data, "zstd", "gzip")


def test_no_data_is_nothing_in_every_encoding() -> None:
    assert [decode(b"", encoding) for encoding in ENCODINGS] == [b""] * len(ENCODINGS)


class Failing:
    """A source that fails, and must not be closed."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def read(self, size: int, /) -> bytes:
        raise self.failure


@pytest.mark.parametrize(
    "failure", [ConnectionResetError(104, "reset"), PayloadTooLarge("too large"), KeyError("any"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("layers", [("gzip",), ("zstd",), ("gzip", "zstd")])
def test_a_failure_of_the_source_comes_through_as_it_is(failure: BaseException, layers: tuple[str, ...]) -> None:
    with pytest.raises(type(failure)) as caught:
        compression.read_all(compression.decoded(Failing(failure), layers, LIMIT))
    assert caught.value is failure


def test_the_source_stays_open() -> None:
    source = io.BytesIO(compression.encoded(b"data", "gzip"))
    compression.read_all(compression.decoded(source, ("gzip",), LIMIT))
    assert not source.closed


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("identity", ()),
        ("gzip", ("gzip",)),
        ("X-GZip", ("gzip",)),
        ("zstd", ("zstd",)),
        (" gzip ,, identity,zstd ", ("gzip", "zstd")),
    ],
)
def test_a_header_names_encodings_in_their_order(header: str, expected: tuple[str, ...]) -> None:
    assert compression.encodings_of(header) == expected


@pytest.mark.parametrize("header", ["br", "deflate", "gzip, br", "gzip;q=1", "chunked"])
def test_an_unknown_encoding_is_named_beside_those_that_work(header: str) -> None:
    with pytest.raises(
        UnknownEncoding, match=r"'(br|deflate|gzip;q=1|chunked)' is not supported; supported: gzip, zstd"
    ):
        compression.encodings_of(header)


def test_too_many_layers_are_refused() -> None:
    with pytest.raises(UnknownEncoding, match="3 content encodings, expected at most 2"):
        compression.encodings_of("gzip, gzip, gzip")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/x.csv.gz", ("a/x.csv", "gzip")),
        ("x.CSV.ZST", ("x.CSV", "zstd")),
        ("x.gz", ("x", "gzip")),
        ("x.csv", ("x.csv", None)),
        ("gz", ("gz", None)),
        ("", ("", None)),
        ("x.gz.csv", ("x.gz.csv", None)),
    ],
)
def test_a_suffix_tells_the_encoding(name: str, expected: tuple[str, str | None]) -> None:
    assert compression.split(name) == expected


def test_a_gzip_file_is_the_same_whenever_it_is_written() -> None:
    written = compression.encoded(b"data", "gzip")
    assert (gzip.decompress(written), written[4:8]) == (b"data", bytes(4))
