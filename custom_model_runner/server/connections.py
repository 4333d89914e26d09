"""Connections of a worker: no thread waits for what a client has not sent yet, and none for a client to go away."""

from __future__ import annotations

import errno
import logging
import re
import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any

from gunicorn import http, sock
from gunicorn.http import unreader
from gunicorn.workers import gthread

LOG = logging.getLogger("drum.server")
# What is gathered of a request before a thread gets it; the thread reads the rest.
MOST_GATHERED = 1 << 16
MIB = 1 << 20
# How long a connection that ends may go on sending what nobody reads, lest its answer be lost, and how much.
SECONDS_TO_LINGER = 2.0
# A connection keeps a thread until it has a key.
SECONDS_TO_SHAKE_HANDS = 5.0
MOST_LINGERED = 1 << 20
END_OF_HEAD = b"\r\n\r\n"
FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:([^\r\n]*)", re.IGNORECASE)
HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,15}")
# More are for a thread to read.
MOST_CHUNKS = 100
QUIET = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)
# What a process, or the whole system, has no more of.
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
SECONDS_UNTIL_RETRY = 0.05


def is_complete(received: bytes) -> bool:
    """Say whether a thread may have a request: it is whole, or as much as is gathered, or not for us to judge."""
    end = received.find(END_OF_HEAD)
    if len(received) >= MOST_GATHERED or end < 0:
        return end >= 0 or len(received) >= MOST_GATHERED
    found = FIELDS.findall(received, 0, end)
    fields = {name.lower(): value.strip() for name, value in found}
    if b"expect" in fields or len(found) > 1:
        return True
    start = end + len(END_OF_HEAD)
    if b"transfer-encoding" in fields:
        return not fields[b"transfer-encoding"].lower().endswith(b"chunked") or _is_last_chunk_in(received, start)
    length = fields.get(b"content-length", b"0")
    return not length.isdigit() or len(received) - start >= int(length)


def _is_last_chunk_in(received: bytes, start: int) -> bool:
    """Say the same of a chunked body that starts there."""
    for _ in range(MOST_CHUNKS):
        end = received.find(b"\r\n", start)
        if end < 0:
            return False
        size = received[start:end].partition(b";")[0].strip()
        if not HEXADECIMAL.fullmatch(size):
            return True
        if int(size, 16) == 0:
            return received.find(END_OF_HEAD, end) >= 0
        start = end + 2 + int(size, 16)
        if len(received) < start + 2:
            return False
        if received[start : start + 2] != b"\r\n":
            return True
        start += 2
    return True


class Reader(unreader.SocketUnreader):
    """What a connection sends; once begun, a request has some seconds for its head and for each MiB of its body."""

    def __init__(self, client: socket.socket, seconds: float) -> None:
        super().__init__(client)
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Let the time of a request begin."""
        self.begun = time.monotonic()
        self.received = 0

    def gather(self) -> bool:
        """Take what is there without waiting, and say whether a thread may have the request; it sees failures again."""
        try:
            data = self.sock.recv(MOST_GATHERED)
        except BlockingIOError:
            return is_complete(self.buf.getvalue())
        except OSError:
            return True
        self.buf.seek(0, 2)
        self.buf.write(data)
        return not data or is_complete(self.buf.getvalue())

    def chunk(self, *hint: Any) -> bytes:
        """Return the next bytes; a client that is too slow is as good as gone."""
        left = self.begun + self.seconds * (1 + self.received / MIB) - time.monotonic()
        given = self.sock.gettimeout()
        try:
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left if given is None else min(left, given))
            data: bytes = super().chunk(*hint)
        except TimeoutError as error:
            raise TimeoutError(errno.EPIPE, "the request comes too slowly") from error
        finally:
            self.sock.settimeout(given)
        self.received += len(data)
        return data


class Connection(gthread.TConn):
    """A connection whose reader knows how long a request may take to come."""

    reader: Reader
    parser: Any
    lingered = 0

    def __init__(self, cfg: Any, client: socket.socket, addresses: tuple[Any, Any], seconds: float) -> None:
        super().__init__(cfg, client, *addresses)
        self.seconds = seconds

    def init(self) -> None:
        """Make the parser, with TLS after the client has been greeted."""
        if self.initialized:
            return
        self.initialized = True
        if self.cfg.is_ssl:
            self.sock.settimeout(SECONDS_TO_SHAKE_HANDS)
            try:
                self.sock = sock.ssl_wrap_socket(self.sock, self.cfg)
                self.sock.do_handshake()
            except OSError as error:
                raise ConnectionResetError(errno.ECONNRESET, "the client does not speak TLS") from error
        self.sock.settimeout(None)
        self.reader = Reader(self.sock, self.seconds)
        self.parser = http.get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader = self.reader


class Pool(ThreadPoolExecutor):
    """Threads, of which there may be fewer than are wanted where the system gives no more."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            # What is to be done has been queued, and waits for those that there are.
            if not self._threads:
                raise


class PatientWorker(gthread.ThreadWorker):
    """gunicorn's worker with threads, whose main thread waits for clients in place of the others.

    `receiving` are connections whose request has not come yet, `lingering` those that end, each with the time until
    which they may; in both the first ends first.
    """

    receive_seconds: float
    receiving: dict[Connection, float]
    lingering: dict[Connection, float]
    has_complained = False

    def init_process(self) -> None:
        """Serve, without any connection yet."""
        self.receiving, self.lingering = {}, {}
        super().init_process()

    def get_thread_pool(self) -> Pool:
        """Return the threads that answer requests."""
        return Pool(self.cfg.threads)

    def accept(self, listener: Any) -> None:
        """Take a connection."""
        self.take(listener)

    def take(self, listener: Any) -> bool:
        """Take a connection, and say whether to go on; where nothing is left for it, one that is idle ends."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                return self._make_room(error)
            if error.errno not in QUIET:
                raise
            return True
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, (address, listener.getsockname()), self.receive_seconds))
        return True

    def _make_room(self, error: OSError) -> bool:
        if self._end_the_idlest():
            return True
        if not self.has_complained:
            self.has_complained = True
            LOG.error("no connection can be taken: %s", error.strerror)
        time.sleep(SECONDS_UNTIL_RETRY)
        return False

    def _end_the_idlest(self) -> bool:
        """Close the connection that has waited for its request longest, if one does."""
        waiting: list[tuple[float, Any]]
        waiting = [(at - self.receive_seconds, conn) for conn, at in islice(self.receiving.items(), 1)]
        waiting += [(conn.timeout - self.cfg.keepalive, conn) for conn in islice(self.keepalived_conns, 1)]
        if not waiting:
            return False
        conn = min(waiting, key=itemgetter(0))[1]
        if self.receiving.pop(conn, None) is None:
            self.keepalived_conns.remove(conn)
        self._close(conn)
        return True

    def enqueue_req(self, conn: Any) -> None:
        """Have the next request of a connection answered, as soon as it is there."""
        if not self.cfg.is_ssl:
            conn.init()
        elif conn.initialized:
            # It sends something; what that is only a thread can decipher.
            self._hand_over(conn)
            return
        conn.sock.setblocking(False)
        if not self.cfg.is_ssl and conn.reader.gather():
            self._hand_over(conn)
            return
        self.receiving[conn] = time.monotonic() + self.receive_seconds
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive, conn))

    def _receive(self, conn: Connection, _: Any) -> None:
        if self.cfg.is_ssl or conn.reader.gather():
            self.poller.unregister(conn.sock)
            del self.receiving[conn]
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        conn.data_ready = True
        if conn.initialized:
            conn.reader.begin()
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Go on with a connection, or end it, when its request has been dealt with."""
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._end(conn)

    def _end(self, conn: Connection) -> None:
        """Close a connection when its client has done so too, or after a while."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._linger, conn))
        except (OSError, ValueError):
            self._close(conn)
            return
        self.lingering[conn] = time.monotonic() + SECONDS_TO_LINGER

    def _linger(self, conn: Connection, _: Any) -> None:
        try:
            data = conn.sock.recv(MOST_GATHERED)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.lingered += len(data)
        if not data or conn.lingered > MOST_LINGERED:
            del self.lingering[conn]
            self._close(conn)

    def _close(self, conn: Connection) -> None:
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close the connections whose time is over, those with half a request after a word."""
        now = time.monotonic()
        for conn in [conn for conn, at in self.receiving.items() if at <= now]:
            del self.receiving[conn]
            self.poller.unregister(conn.sock)
            if conn.initialized and conn.reader.buf.tell():
                self.refuse_slow(conn.sock)
            self._end(conn)
        for conn in [conn for conn, at in self.lingering.items() if at <= now]:
            del self.lingering[conn]
            self._close(conn)

    def refuse_slow(self, client: socket.socket) -> None:
        """Answer a request that has not come in time."""

    def _cap_keepalive(self, deadline: float) -> None:
        """Have the connections that wait for a request end by then: the worker is about to."""
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than its types
        self.receiving = {conn: min(at, deadline) for conn, at in self.receiving.items()}
