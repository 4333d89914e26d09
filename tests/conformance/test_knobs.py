"""What the environment sets of a server, beyond what its answers show elsewhere."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil
import pytest

from .conftest import Server, serve

# Says what the libraries of a worker were told, and how many threads they took.
SOURCE = """
import json, os

import numpy
import threadpoolctl

def score_unstructured(model, data, **kwargs):
    told = {name: os.environ.get(name) for name in data.split()}
    return json.dumps([told, [one["num_threads"] for one in threadpoolctl.threadpool_info()]])
"""
THREADS = "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS"
BACKLOG = 2
REQUEST = b"GET /ping/ HTTP/1.1\r\nHost: a\r\n\r\n"
# Fewer than a hundred more than the threads: as many calls as a thread-safe model takes, a queue of none, and forty.
CONNECTIONS = 5
MOST_CONNECTIONS = 8 + 0 + 8 + 32 + 100


def parameter(name: str, payload: object) -> dict[str, str]:
    kind = "string" if isinstance(payload, str) else "numeric"
    return {f"MLOPS_RUNTIME_PARAM_{name}": json.dumps({"type": kind, "payload": payload})}


def connected(address: tuple[str, int], number: int) -> int:
    """Return how many of so many connections come about, one after the other, until one does not."""
    with ExitStack() as stack:
        for made in range(number):
            try:
                stack.enter_context(socket.create_connection(address, timeout=0.5))
            except TimeoutError:
                return made
    return number


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    env = {
        "OMP_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "",
        **parameter("DRUM_WORKER_CONNECTIONS", CONNECTIONS),
        **parameter("DRUM_WEBSERVER_BACKLOG", BACKLOG),
        **parameter("DRUM_GUNICORN_LOG_LEVEL", "info"),
    }
    with serve(folder, "--max-queue", "0", env=env) as server:
        yield server


def test_libraries_get_one_thread_before_they_are_loaded_unless_the_user_has_said_otherwise(server: Server) -> None:
    told, taken = server.post("/predictUnstructured/", THREADS, "text/plain").json()
    assert told == {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    assert taken
    assert set(taken) == {1}


def test_gunicorn_speaks_at_a_level_of_its_own(server: Server) -> None:
    server.get("/info/")
    levels = set(re.findall(r"(INFO|WARNING) ([a-z.]+):", server.log.read_text()))
    assert levels == {("INFO", "gunicorn.error")}


def test_of_more_connections_than_a_worker_holds_the_one_that_has_been_idle_longest_ends(server: Server) -> None:
    address = ("127.0.0.1", server.port)
    with ExitStack() as stack:
        half = []
        for _ in range(MOST_CONNECTIONS):
            half.append(stack.enter_context(socket.create_connection(address, timeout=10)))
            half[-1].sendall(REQUEST[:20])
            # Else the system, which may keep but two, drops one for a second.
            time.sleep(0.01)
        last = stack.enter_context(socket.create_connection(address, timeout=10))
        last.sendall(REQUEST)
        assert last.recv(100).startswith(b"HTTP/1.1 200 ")
        with suppress(ConnectionResetError):
            assert half[0].recv(100) == b""
        half[-1].sendall(REQUEST[20:])
        assert half[-1].recv(100).startswith(b"HTTP/1.1 200 ")


def test_connections_that_no_worker_takes_wait_in_the_backlog_and_no_more_than_it_holds(server: Server) -> None:
    worker = psutil.Process(server.process.pid).children(recursive=True)[-1]
    worker.suspend()
    try:
        assert connected(("127.0.0.1", server.port), BACKLOG + 10) < BACKLOG + 10
    finally:
        worker.resume()
    assert server.get("/ping/").ok
