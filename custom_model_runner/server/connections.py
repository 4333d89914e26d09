"""Connections of a worker: no thread waits for what a client has not sent yet, and none for a client to go away."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any

from gunicorn import http, sock
from gunicorn.workers import gthread

from custom_model_runner.server.gathering import MOST_GATHERED, NOTHING_YET, Progress, Reader

LOG = logging.getLogger("drum.server")
# How long a connection that ends may go on sending what nobody reads, lest its answer be lost, and how much.
SECONDS_TO_LINGER = 2.0
MOST_LINGERED = 1 << 20
# So many threads of a worker may wait for the rest of large bodies.
MOST_READERS = 32
# The option for how long a client may take nothing of what it is sent; only Linux has it.
UNREAD: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
QUIET = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)
# What a process, or the whole system, has no more of.
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
SECONDS_UNTIL_RETRY = 0.05


class Connection(gthread.TConn):
    """A connection whose reader knows how long a request may take to come."""

    reader: Reader
    parser: Any
    lingered = 0
    is_greeted = False

    def __init__(self, cfg: Any, client: socket.socket, addresses: tuple[Any, Any], seconds: float) -> None:
        super().__init__(cfg, client, *addresses)
        self.seconds = seconds

    def init(self) -> None:
        """Make the parser."""
        if self.initialized:
            return
        self.initialized = True
        if UNREAD is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, UNREAD, int(self.seconds * 1000))
        if self.cfg.is_ssl:
            self.sock = sock.ssl_wrap_socket(self.sock, self.cfg)
        self.reader = Reader(self.sock, self.seconds)
        self.parser = http.get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader = self.reader

    def gather(self) -> Progress:
        """Take what is there without waiting: with TLS the client's part of the greeting, then its request."""
        if isinstance(self.sock, ssl.SSLSocket) and not self.is_greeted:
            try:
                self.sock.do_handshake()
            except NOTHING_YET:
                return Progress.PART
            except OSError:
                return Progress.NEVER
            self.is_greeted = True
        return self.reader.gather()


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

    `receiving` are connections whose request has not come yet, `held` those of which a thread may read the rest when
    fewer do, `lingering` those that end, each with the time until which they may; in all three the first ends first.
    `readers` are those whose rest a thread reads.
    """

    receive_seconds: float
    receiving: dict[Connection, float]
    held: dict[Connection, float]
    lingering: dict[Connection, float]
    readers: set[socket.socket]
    has_complained = False

    def init_process(self) -> None:
        """Serve, without any connection yet."""
        self.receiving, self.held, self.lingering, self.readers = {}, {}, {}, set()
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
        if self.nr_conns + 1 >= self.worker_connections:
            self._end_the_idlest()
        self.nr_conns += 1
        conn = Connection(self.cfg, client, (address, listener.getsockname()), self.receive_seconds)
        try:
            conn.init()
        except OSError:
            self._close(conn)
        else:
            self.enqueue_req(conn)
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
        """Close the connection for which nobody has done anything longest, if there is one."""
        seconds = self.receive_seconds
        tables = (self.receiving, seconds), (self.held, seconds), (self.lingering, SECONDS_TO_LINGER)
        waiting: list[tuple[float, Any]]
        waiting = [(at - given, conn) for table, given in tables for conn, at in islice(table.items(), 1)]
        waiting += [(conn.timeout - self.cfg.keepalive, conn) for conn in islice(self.keepalived_conns, 1)]
        if not waiting:
            return False
        conn = min(waiting, key=itemgetter(0))[1]
        if not any(table.pop(conn, None) for table, _ in tables):
            self.keepalived_conns.remove(conn)
        self._close(conn)
        return True

    def enqueue_req(self, conn: Any) -> None:
        """Have the next request of a connection answered, as soon as it is there."""
        conn.sock.setblocking(False)
        progress = conn.reader.expect()
        if progress is Progress.PART:
            progress = conn.gather()
        if progress is Progress.PART:
            self.receiving[conn] = time.monotonic() + self.receive_seconds
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive, conn))
        else:
            self._hand_over(conn, progress)

    def _receive(self, conn: Connection, _: Any) -> None:
        progress = conn.gather()
        if progress is not Progress.PART:
            self.poller.unregister(conn.sock)
            self._hand_over(conn, progress)

    def _hand_over(self, conn: Connection, progress: Progress) -> None:
        """Give a request to a thread; one whose rest it may have to wait for only if few threads do."""
        until = self.receiving.pop(conn, None)
        if progress is Progress.NEVER:
            self._end(conn)
            return
        if progress is Progress.REST:
            if len(self.readers) >= MOST_READERS:
                self.held[conn] = until or time.monotonic() + self.receive_seconds
                return
            self.readers.add(conn.sock)
        conn.data_ready = True
        conn.reader.begin()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve what a connection has sent."""
        try:
            return super().handle(conn)
        finally:
            self.note_received(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; the client has perhaps been told already to go on with its body."""
        if conn.reader.has_continued:
            req._expected_100_continue = False
        return super().handle_request(req, conn)

    def note_received(self, client: socket.socket) -> None:
        """Note that a thread no longer waits for what a client sends; any thread may call this."""
        if client in self.readers:
            self.method_queue.defer(self._let_read, client)

    def _let_read(self, client: socket.socket) -> None:
        """Let a thread read the rest of another request in place of this one."""
        self.readers.discard(client)
        while self.held and len(self.readers) < MOST_READERS:
            conn = next(iter(self.held))
            del self.held[conn]
            self._hand_over(conn, Progress.REST)

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

    def _cease_to_look(self, conn: Connection) -> None:
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _close(self, conn: Connection) -> None:
        self._cease_to_look(conn)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close the connections whose time is over, those with half a request after a word."""
        now = time.monotonic()
        for table in (self.receiving, self.held):
            for conn in [conn for conn, at in table.items() if at <= now]:
                del table[conn]
                self._cease_to_look(conn)
                if conn.reader.has_begun:
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
        self.held = {conn: min(at, deadline) for conn, at in self.held.items()}
