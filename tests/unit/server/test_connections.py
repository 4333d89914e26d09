"""When a thread may have a request, and how long one may take to come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from custom_model_runner.server.connections import MOST_GATHERED, Pool, Reader, is_complete

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
    assert not is_complete(received)


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
    assert is_complete(received)


@pytest.mark.parametrize(
    "received",
    [
        HEAD + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n",
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
    assert is_complete(received)


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
    assert not reader.gather()
    client.sendall(HEAD)
    assert not reader.gather()
    client.sendall(b"Content-Length: 3\r\n\r\nab")
    assert not reader.gather()
    client.sendall(b"c")
    assert reader.gather()
    assert reader.read() == HEAD + b"Content-Length: 3\r\n\r\nabc"


def test_the_end_of_a_connection_is_for_a_thread_to_see(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, client = ends
    ours.setblocking(False)
    client.sendall(b"GET ")
    client.shutdown(socket.SHUT_WR)
    reader = Reader(ours, 5)
    assert not reader.gather()
    assert reader.gather()


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


def test_threads_that_the_system_does_not_give_leave_the_work_to_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Pool(4) as pool:
        may_end = threading.Event()
        first = pool.submit(may_end.wait, 10)

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        second = pool.submit(int, "7")
        may_end.set()
        assert (first.result(10), second.result(10)) == (True, 7)
    with Pool(4) as pool, pytest.raises(RuntimeError):
        pool.submit(int, "7")
