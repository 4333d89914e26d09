"""What decompression makes of a message, known before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from custom_model_runner.data import arrow_message

TABLE = pa.table({"zeros": np.zeros(1000), "text": ["x" * 20] * 1000, "lists": [[1, 2, 3]] * 1000})
OPTIONS = {name: pa.ipc.IpcWriteOptions(compression=name) for name in (None, "lz4", "zstd")}


def messages(table: Any, compression: str | None) -> list[Any]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=OPTIONS[compression]) as writer:
        writer.write_table(table)
    return list(pa.ipc.MessageReader.open_stream(sink.getvalue()))


@dataclass(frozen=True)
class Message:
    """Bytes that say they are a message."""

    metadata: Any
    body: Any


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_the_size_is_that_of_the_decoded_buffers(compression: str) -> None:
    schema, batch = messages(TABLE, compression)
    assert arrow_message.decoded_size(schema) == 0
    assert arrow_message.decoded_size(batch) == pytest.approx(TABLE.nbytes, abs=16)
    assert len(batch.body) < TABLE.nbytes


def test_a_dictionary_is_looked_into_as_well() -> None:
    words = pa.table({"word": pa.array(["x" * 1000, "y" * 1000]).dictionary_encode()})
    _, dictionary, batch = messages(words, "zstd")
    assert arrow_message.decoded_size(dictionary) == 2000 + 3 * 4
    assert arrow_message.decoded_size(batch) == 2 * 4


def test_what_is_not_compressed_has_nothing_to_decode() -> None:
    assert [arrow_message.decoded_size(message) for message in messages(TABLE, None)] == [0, 0]


def test_buffers_that_did_not_get_smaller_count_as_they_are() -> None:
    noise = pa.table({"noise": pa.array([random.Random(1).randbytes(4000)], pa.binary())})
    _, batch = messages(noise, "zstd")
    assert arrow_message.decoded_size(batch) == pytest.approx(4000, abs=32)


@pytest.mark.parametrize("seed", range(300))
def test_broken_metadata_is_a_value_error_and_nothing_else(seed: int) -> None:
    """Whatever the bytes point to, nothing outside of them is read and no other error comes out."""
    chance = random.Random(seed)
    _, batch = messages(TABLE, "zstd")
    metadata = bytearray(batch.metadata)
    for _ in range(chance.randrange(1, 8)):
        metadata[chance.randrange(len(metadata))] = chance.choice((0, 1, 127, 128, 255))
    cut = bytes(metadata[: chance.randrange(len(metadata) + 1)]) if seed % 3 == 0 else bytes(metadata)
    try:
        assert arrow_message.decoded_size(Message(cut, batch.body)) >= 0
    except ValueError as error:
        assert str(error)  # noqa: PT017  # broken or not, one of the two must hold


def test_a_negative_length_is_an_error() -> None:
    _, batch = messages(pa.table({"zeros": np.zeros(1000)}), "zstd")
    body = bytearray(batch.body)
    body[:8] = (-2).to_bytes(8, "little", signed=True)
    with pytest.raises(ValueError, match="negative"):
        arrow_message.decoded_size(Message(batch.metadata, bytes(body)))
