"""When a thread may have a request, and how long one may take to come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from custom_model_runner.server.gathering import CONTINUE, MOST_GATHERED, Gathering, Progress, Reader

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "received",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        HEAD + b"Content-Length: 4\r\n\r\nabc",
        HEAD + b"CONTENT-length :\t4\t\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Transfer-Encoding: gzip, Chunked\r\n\r\n5\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n8;x=y\r\n0\r\n\r\nab\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nTrailer: x\r\n",
    ],
)
def test_half_a_request_is_waited_for(received: bytes) -> None:
    assert Gathering().add(received) is Progress.PART


@pytest.mark.parametrize(
    "received",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 4\r\n\r\nabcdGET /",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nTrailer: x\r\n\r\nGET /",
    ],
)
def test_a_whole_request_is_handed_over(received: bytes) -> None:
    assert Gathering().add(received) is Progress.WHOLE


@pytest.mark.parametrize(
    "received",
    [
        HEAD + b"Content-Length: 4\r\nExpect: a miracle\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: -4\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: brotli\r\n\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + 100 * b"1\r\na\r\n",
        HEAD + b"X: " + b"x" * MOST_GATHERED,
        HEAD + b"Content-Length: 999999\r\n\r\n" + b"x" * MOST_GATHERED,
    ],
)
def test_what_only_a_thread_can_judge_is_handed_over_too(received: bytes) -> None:
    assert Gathering().add(received) is Progress.REST


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"Content-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\nabcd",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nTrailer: x\r\n\r\n",
    ],
)
def test_the_size_of_the_pieces_does_not_matter(request_: bytes) -> None:
    gathering = Gathering()
    told = [gathering.add(request_[place : place + 1]) for place in range(len(request_))]
    assert told == [Progress.PART] * (len(request_) - 1) + [Progress.WHOLE]


def test_what_has_been_searched_is_not_searched_again() -> None:
    class Counting(bytearray):
        seen = 0

        def find(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
            Counting.seen += len(self) - start
            return super().find(what, start)

    gathering = Gathering()
    gathering.received = Counting()
    for _ in range(MOST_GATHERED):
        gathering.add(b"x")
    assert Counting.seen < 5 * MOST_GATHERED


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_what_is_there_is_gathered_piece_by_piece_and_read_as_it_came(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, client = ends
    ours.setblocking(False)
    reader = Reader(ours, 5)
    assert reader.gather() is Progress.PART
    client.sendall(HEAD)
    assert reader.gather() is Progress.PART
    client.sendall(b"Content-Length: 3\r\n\r\nab")
    assert reader.gather() is Progress.PART
    client.sendall(b"c")
    assert reader.gather() is Progress.WHOLE
    assert reader.read() == HEAD + b"Content-Length: 3\r\n\r\nabc"


def test_the_end_of_a_connection_is_for_a_thread_to_see(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, client = ends
    ours.setblocking(False)
    client.sendall(b"GET ")
    client.shutdown(socket.SHUT_WR)
    reader = Reader(ours, 5)
    assert reader.gather() is Progress.PART
    assert reader.gather() is Progress.WHOLE


def test_bytes_that_come_one_by_one_do_not_keep_a_thread_beyond_its_time(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, client = ends
    reader = Reader(ours, 0.2)
    is_over = threading.Event()

    def trickle() -> None:
        while not is_over.wait(0.01):
            client.sendall(b"x")

    trickling = threading.Thread(target=trickle)
    trickling.start()
    try:
        with pytest.raises(TimeoutError, match="slowly"):
            reader.read(1000)
    finally:
        is_over.set()
        trickling.join()
    # And a new request has its own time.
    reader.begin()
    assert reader.read(1)


def test_each_mebibyte_of_a_body_brings_as_much_time_again(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, client = ends
    reader = Reader(ours, 0.2)
    reader.received = 10 << 20
    time.sleep(0.3)
    client.sendall(b"x")
    assert reader.read(1) == b"x"


def test_a_client_that_wants_to_be_asked_for_its_body_is_asked_once(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, client = ends
    ours.setblocking(False)
    client.setblocking(False)
    reader = Reader(ours, 5)
    request = HEAD + b"Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n"
    for piece in (request[:20], request[20:], b"ab"):
        client.sendall(piece)
        assert reader.gather() is Progress.PART
    client.sendall(b"cd")
    assert reader.gather() is Progress.WHOLE
    assert reader.has_continued
    assert client.recv(1000) == CONTINUE
    # The next request is asked for anew, unless its body comes along; an old client would not understand.
    assert reader.read() == request + b"abcd"
    assert reader.expect() is Progress.PART
    for whole in (request + b"abcd", request.replace(b"HTTP/1.1", b"HTTP/1.0")):
        client.sendall(whole)
        reader.gather()
        assert not reader.has_continued
        reader.take_buffered()
        reader.expect()
    with pytest.raises(BlockingIOError):
        client.recv(1000)


def test_what_the_last_request_has_left_begins_the_next(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, client = ends
    ours.setblocking(False)
    reader = Reader(ours, 5)
    client.sendall(HEAD + b"\r\n" + HEAD[:5])
    assert reader.gather() is Progress.WHOLE
    assert reader.read(len(HEAD) + 2) == HEAD + b"\r\n"
    assert reader.expect() is Progress.PART
    assert reader.has_begun
    client.sendall(HEAD[5:] + b"\r\n")
    assert reader.gather() is Progress.WHOLE
    assert reader.read() == HEAD + b"\r\n"
